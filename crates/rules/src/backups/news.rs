//! What the agent tells as events of its backups: each once.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::facts::{BackupFacts, read_facts};
use crate::reports::SUBJECT_BYTES_MAX;
use crate::time::Millis;

/// What was told of a target up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Of which good backup.
    pub completed_at: Option<Millis>,
    /// Of which failure.
    pub failed_at: Option<Millis>,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupNews {
    /// `backup.completed` or `backup.failed`.
    pub kind: &'static str,
    /// What belongs to it.
    pub data: Value,
}

/// What a report has that was not told, the earlier first, and what is told from now on. A box that was set back to an
/// older state has nothing new.
///
/// What was told of a time that is still to come was of a clock that was ahead: it holds back nothing that has been by
/// now, and is no longer held against what comes after.
pub fn news(told: Told, target: &str, facts: &BackupFacts, now: Millis) -> (Vec<BackupNews>, Told) {
    let is_later = |at: Millis, told: Millis| at > told || (told > now && at <= now);
    let is_new = |at: Option<Millis>, told: Option<Millis>| at.filter(|at| told.is_none_or(|told| is_later(*at, told)));
    let mut all = Vec::new();
    if let Some(at) = is_new(facts.completed_at, told.completed_at) {
        let mut data = json!({ "target": target, "completed_at": written(at) });
        facts.bytes.into_iter().for_each(|bytes| data["bytes"] = bytes.into());
        facts.took_s.into_iter().for_each(|seconds| data["took_s"] = seconds.into());
        all.push((at, BackupNews { kind: "backup.completed", data }));
    }
    if let Some(at) = is_new(facts.failed_at, told.failed_at) {
        let mut data = json!({ "target": target, "failed_at": written(at) });
        facts.error.iter().for_each(|error| data["error"] = error.as_str().into());
        all.push((at, BackupNews { kind: "backup.failed", data }));
    }
    all.sort_by_key(|(at, _)| *at);
    let told = Told {
        completed_at: is_new(facts.completed_at, told.completed_at).or(told.completed_at),
        failed_at: is_new(facts.failed_at, told.failed_at).or(told.failed_at),
    };
    (all.into_iter().map(|(_, news)| news).collect(), told)
}

fn written(at: Millis) -> String {
    Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

/// Looks at an event that a node has sent, and says as which kind it is written down. Only these kinds are taken, with
/// what belongs to them and nothing else.
///
/// # Errors
/// A sentence without its full stop.
pub fn check_event(kind: &str, data: &Map<String, Value>) -> Result<&'static str, String> {
    let (kind, at, fields): (&'static str, _, [&str; 4]) = match kind {
        "backup.completed" => ("backup.completed", "completed_at", ["target", "completed_at", "bytes", "took_s"]),
        "backup.failed" => ("backup.failed", "failed_at", ["target", "failed_at", "error", "error"]),
        _ => {
            return Err(
                "nodes tell of `backup.completed` and `backup.failed` by themselves, and of nothing else".into()
            );
        }
    };
    if data.keys().any(|key| !fields.contains(&key.as_str())) {
        return Err(format!("`{kind}` says no more than what belongs to it"));
    }
    let is_target = |text: &str| (1..=SUBJECT_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
    if !data.get("target").and_then(Value::as_str).is_some_and(is_target) {
        return Err(format!("`target` is a text of 1 to {SUBJECT_BYTES_MAX} bytes on one line"));
    }
    read_facts(data).map_err(|bad| bad.to_string())?;
    if data.get(at).is_none_or(Value::is_null) {
        return Err(format!("`{kind}` says `{at}`"));
    }
    Ok(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(100_000);

    fn facts(completed: Option<i64>, failed: Option<i64>) -> BackupFacts {
        let (completed_at, failed_at) = (completed.map(Millis), failed.map(Millis));
        BackupFacts { completed_at, failed_at, error: failed.map(|_| "no disk".into()), bytes: Some(5), took_s: None }
    }

    #[test]
    fn what_is_new_is_told_once_the_earlier_first() {
        let (first, told) = news(Told::default(), "home", &facts(Some(2000), Some(1000)), NOW);
        let kinds: Vec<_> = first.iter().map(|news| news.kind).collect();
        assert_eq!(kinds, ["backup.failed", "backup.completed"]);
        let failed = json!({ "target": "home", "failed_at": "1970-01-01T00:00:01Z", "error": "no disk" });
        assert_eq!((&first[0].data, &first[1].data["bytes"]), (&failed, &json!(5)));
        assert_eq!(news(told, "home", &facts(Some(2000), Some(1000)), NOW), (Vec::new(), told), "the same again");
        assert_eq!(news(told, "home", &facts(Some(1999), None), NOW), (Vec::new(), told), "an older state");
        assert_eq!(news(told, "home", &facts(Some(3000), None), NOW).0.len(), 1);
        for news in first {
            assert_eq!(check_event(news.kind, news.data.as_object().unwrap()), Ok(news.kind), "the hub takes it");
        }
    }

    #[test]
    fn what_a_clock_that_was_ahead_has_told_holds_back_nothing() {
        let ahead = facts(Some(NOW.0 + 9), None);
        let (first, told) = news(Told::default(), "home", &ahead, NOW + crate::time::Span(9));
        assert_eq!(first.len(), 1);
        assert_eq!(news(told, "home", &ahead, NOW), (Vec::new(), told), "the same again is not told again");
        let (all, right) = news(told, "home", &facts(Some(NOW.0 - 5), None), NOW);
        assert_eq!((all.len(), right.completed_at), (1, Some(Millis(NOW.0 - 5))), "the clock was put right");
        assert_eq!(news(right, "home", &facts(Some(NOW.0 - 5), None), NOW), (Vec::new(), right), "once");
        assert_eq!(news(right, "home", &facts(Some(NOW.0 - 6), None), NOW), (Vec::new(), right), "an older state");
    }

    #[test]
    fn nodes_tell_of_nothing_else() {
        let good = json!({ "target": "home", "completed_at": "1970-01-01T00:00:01Z" });
        let check = |kind: &str, data: &Value| check_event(kind, data.as_object().unwrap());
        assert_eq!(check("backup.completed", &good), Ok("backup.completed"));
        assert!(check("node.down", &good).unwrap_err().contains("nothing else"));
        assert!(check("backup.missed", &good).is_err() && check("backup.failed", &good).is_err());
        for (field, value) in [
            ("target", json!("")),
            ("target", json!("a\nb")),
            ("target", json!(null)),
            ("completed_at", json!(null)),
            ("completed_at", json!("now")),
            ("bytes", json!("5")),
            ("node", json!("other")),
        ] {
            let mut bad = good.clone();
            bad[field] = value;
            assert!(check("backup.completed", &bad).is_err(), "{bad}");
        }
    }

    proptest! {
        /// Whatever is reported, what is told rises, and nothing is told twice.
        #[test]
        fn what_is_told_rises(reports in proptest::collection::vec((0i64..9, 0i64..9), 1..30)) {
            let (mut told, mut last) = (Told::default(), (0, 0));
            for (completed, failed) in reports {
                let said = |at: i64| (at > 0).then_some(at * 1000);
                let (all, after) = news(told, "home", &facts(said(completed), said(failed)), NOW);
                let has = |kind: &str| all.iter().any(|news| news.kind == kind);
                prop_assert_eq!(has("backup.completed"), completed > last.0);
                prop_assert_eq!(has("backup.failed"), failed > last.1);
                last = (last.0.max(completed), last.1.max(failed));
                told = after;
            }
        }
    }
}
