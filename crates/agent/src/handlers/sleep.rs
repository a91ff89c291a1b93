//! `sleep`: waits, for trying things out.

use serde::{Deserialize, Serialize};
use sortie_rules::time::Span;

use super::handler::{Failure, Output, Work};
use crate::clock::Steady;

/// Longest sleep.
const SLEEP_MAX: Span = Span::hours(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    ms: i64,
    note: Option<String>,
}

#[derive(Serialize)]
struct Slept {
    slept_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

pub(super) async fn run(work: Work) -> Result<Output, Failure> {
    let Payload { ms, note } = work.read()?;
    let asleep_since = Steady::now();
    let span = Span(ms.clamp(0, SLEEP_MAX.0));
    tokio::select! {
        () = tokio::time::sleep(span.to_std()) => {
            Output::of(&Slept { slept_ms: asleep_since.elapsed().0.max(span.0), note })
        }
        () = work.stop.cancelled() => Err(Failure::Cancelled),
    }
}
