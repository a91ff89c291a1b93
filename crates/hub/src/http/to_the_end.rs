//! Work that must not stop half way because its caller hangs up: what is written to the store, and what is
//! then forgotten in memory, belong together.

use std::future::Future;

use tracing::Instrument as _;

use crate::fault::Fault;

/// Does it to its end, whether or not somebody waits for that.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<T, Fault> {
    tokio::spawn(work.in_current_span()).await.map_err(|error| Fault::Broken(error.to_string()))?
}
