//! How a soak is printed: a row for each look and the verdict, or lines of JSON.

use std::io::Write as _;

use serde_json::json;

use super::sample::Sample;
use super::verdict::Point;

/// The first line of a table.
pub(super) fn head(is_json: bool) -> anyhow::Result<()> {
    if !is_json {
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{:>6} {:>8} {:>8} {:>5} {:>8} {:>8} {:>8} {:>6} {:>6} {:>8} {:>8}  errors",
            "s", "rss MB", "own MB", "files", "db MB", "wal MB", "tasks", "open", "/s", "p50 ms", "p99 ms"
        )?;
    }
    Ok(())
}

/// One look.
pub(super) fn sample(sample: &Sample, is_json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if is_json {
        return Ok(writeln!(out, "{}", json!({ "sample": sample }))?);
    }
    let mb = |kb: u64| kb as f64 / 1024.0;
    let ms = |time: Option<f64>| time.map_or("-".to_owned(), |time| format!("{time:.1}"));
    let errors: Vec<String> = sample.errors.iter().map(|(code, many)| format!("{code} {many}")).collect();
    let restarted = if sample.restarted { "(restarted) " } else { "" };
    writeln!(
        out,
        "{:>6} {:>8.1} {:>8.1} {:>5} {:>8.1} {:>8.1} {:>8} {:>6} {:>6.1} {:>8} {:>8}  {restarted}{}",
        sample.at_s,
        mb(sample.rss_kb),
        mb(sample.own_kb),
        sample.open_files,
        mb(sample.database_kb),
        mb(sample.wal_kb),
        sample.tasks,
        sample.under_way,
        sample.per_second,
        ms(sample.p50_ms),
        ms(sample.p99_ms),
        errors.join(", ")
    )?;
    Ok(())
}

/// What it came to.
pub(super) fn verdict(points: &[Point], is_json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if is_json {
        let good = points.iter().all(|point| point.good != Some(false));
        return Ok(writeln!(out, "{}", json!({ "verdict": points, "good": good }))?);
    }
    writeln!(out)?;
    for point in points {
        let word = match point.good {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "too short to say",
        };
        writeln!(out, "{:<34} {word:<16} {}", point.what, point.seen)?;
    }
    Ok(())
}
