//! The turns of a hub's recurring work, as its metrics count them.

use crate::{RunningHub, until};

/// How many turns recurring work of this name has had since the hub was started.
pub async fn turns(hub: &RunningHub<'_>, work: &str) -> u64 {
    let counter = format!("sortie_loop_seconds_count{{work=\"{work}\"}}");
    let metrics = hub.operations("/metrics").await.1;
    let line = metrics.lines().find_map(|line| line.strip_prefix(&counter));
    line.and_then(|line| line.trim().parse().ok()).unwrap_or(0)
}

/// Waits until recurring work of this name has had a whole turn from now on.
///
/// # Panics
/// If it has none within a minute.
pub async fn looks_again(hub: &RunningHub<'_>, work: &str) {
    let before = turns(hub, work).await;
    // The turn that is under way may have begun before.
    until(&format!("{work} has its turns"), async || (turns(hub, work).await >= before + 2).then_some(())).await;
}
