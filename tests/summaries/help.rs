//! What several of these stories share.

use sortie_wire::summary::Summary;
use stories::{RunningHub, until};

/// How the hub's own org fares.
pub(crate) async fn summary(hub: &RunningHub<'_>) -> Summary {
    hub.people().summary().await.expect("an administrator may")
}

/// Asks until the numbers are so.
pub(crate) async fn shows(hub: &RunningHub<'_>, what: &str, fits: impl Fn(&Summary) -> bool) -> Summary {
    until(what, async || Some(summary(hub).await).filter(&fits)).await
}

/// A counter of this part of summaries, over all its other labels that fit.
pub(crate) async fn counter(hub: &RunningHub<'_>, name: &str, labels: &[&str]) -> u64 {
    let metrics = hub.operations("/metrics").await.1;
    let lines =
        metrics.lines().filter(|line| line.starts_with(name) && labels.iter().all(|label| line.contains(label)));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
