//! How an outcome is written: one line of JSON, with the same keys whoever was measured.

use std::io::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One figure.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Figure {
    /// Who was measured.
    pub(crate) peer: String,
    /// What it did.
    pub(crate) workload: String,
    /// How often.
    pub(crate) n: Option<f64>,
    /// How long that took.
    pub(crate) seconds: Option<f64>,
    /// How often in a second.
    pub(crate) rate: Option<f64>,
    /// What half of the calls stayed below, in milliseconds.
    pub(crate) p50_ms: Option<f64>,
    /// What 99 of 100 calls stayed below, in milliseconds.
    pub(crate) p99_ms: Option<f64>,
    /// The server's memory, in KiB.
    pub(crate) rss_kb: Option<u64>,
    /// What else one should know.
    pub(crate) notes: String,
}

impl Figure {
    /// A figure of ours without numbers yet.
    pub(crate) fn ours(workload: &str, notes: impl Into<String>) -> Figure {
        Figure { peer: "sortie".to_owned(), workload: workload.to_owned(), notes: notes.into(), ..Figure::default() }
    }

    /// With so many in such a time.
    pub(crate) fn counted(self, n: u64, time: Duration) -> Figure {
        let (n, seconds) = (n as f64, time.as_secs_f64());
        Figure { n: Some(n), seconds: Some(rounded(seconds)), rate: Some(rounded(n / seconds)), ..self }
    }

    /// With the times of single calls.
    pub(crate) fn times(self, mut times: Vec<Duration>) -> Figure {
        times.sort_unstable();
        let percentile = |percent: usize| {
            let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
            times.get(at).map(|time| rounded(time.as_secs_f64() * 1000.0))
        };
        Figure { p50_ms: percentile(50), p99_ms: percentile(99), ..self }
    }

    /// With the server's memory.
    pub(crate) fn memory(self, kib: Option<u64>) -> Figure {
        Figure { rss_kb: kib, ..self }
    }

    /// Prints it.
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        serde_json::to_writer(&mut out, self)?;
        Ok(writeln!(out)?)
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
