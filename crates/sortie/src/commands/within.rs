//! Ends a wait when its time is over or when someone presses Ctrl-C; what is waited for goes on.

use std::future::Future;

use sortie_rules::time::Span;

use crate::exit::{Exit, Failure};

/// Waits. `goes_on` says that what was waited for goes on, and how to look at it.
pub(crate) async fn within<T>(
    timeout: Option<Span>,
    goes_on: &str,
    wait: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let over = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout.to_std()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        done = wait => done,
        () = over => Err(Failure::new(Exit::TimedOut, "the time to wait is over").remedy(goes_on)),
        _ = tokio::signal::ctrl_c() => Err(Failure::new(Exit::Interrupted, "the wait was interrupted").remedy(goes_on)),
    }
}
