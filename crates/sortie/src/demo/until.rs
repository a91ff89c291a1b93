//! Waits for a state, by looking again and again until it is there or its time is over.

use std::time::Duration;

use sortie_client::Steady;
use sortie_rules::time::Span;

use crate::exit::{Exit, Failure};

/// How long between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until there is something to see. `what` completes "… did not happen within …".
pub(super) async fn until<T>(
    what: &str,
    at_most: Span,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let began = Steady::now();
    loop {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        if began.elapsed() > at_most {
            let sentence = format!("waited {at_most} in vain: {what}");
            return Err(
                Failure::new(Exit::Failed, sentence).remedy("run it again with --keep DIR and read the logs there")
            );
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
