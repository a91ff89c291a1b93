//! What a report of the kind `backup` says of a target. These fields are held to what they are; a report may say more.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::limits::BACKUP_ERROR_BYTES_MAX;
use crate::time::Millis;

/// The kind of these reports. Their subject is the target.
pub const BACKUP: &str = "backup";

/// What a report says of a target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BackupFacts {
    /// When the newest good backup was completed, by the box's clock.
    pub completed_at: Option<Millis>,
    /// When a backup failed last.
    pub failed_at: Option<Millis>,
    /// Why.
    pub error: Option<String>,
    /// How large the newest good one is.
    pub bytes: Option<u64>,
    /// How long it took, in seconds.
    pub took_s: Option<u64>,
}

/// Facts that are none of a backup: a sentence without its full stop, and the field that it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct BadFacts {
    /// The field.
    pub field: &'static str,
    why: String,
}

/// Reads what a report says. A field that is not there, or null, says nothing.
pub fn read_facts(facts: &Map<String, Value>) -> Result<BackupFacts, BadFacts> {
    let said = |field: &'static str| facts.get(field).filter(|value| !value.is_null());
    let bad = |field, why: &str| BadFacts { field, why: format!("`{field}` {why}") };
    let instant = |field: &'static str| {
        let read = |value: &Value| value.as_str()?.parse::<Timestamp>().ok().map(|at| Millis(at.as_millisecond()));
        let what = "is an instant as RFC 3339 writes it, such as 2026-03-29T04:12:09Z";
        said(field).map(|value| read(value).ok_or_else(|| bad(field, what))).transpose()
    };
    let count = |field: &'static str| {
        said(field).map(|value| value.as_u64().ok_or_else(|| bad(field, "is a whole number, not below 0"))).transpose()
    };
    let error = match said("error") {
        None => None,
        Some(Value::String(text)) if text.len() <= BACKUP_ERROR_BYTES_MAX => Some(text.clone()),
        Some(_) => return Err(bad("error", &format!("is a text of at most {BACKUP_ERROR_BYTES_MAX} bytes"))),
    };
    Ok(BackupFacts {
        completed_at: instant("completed_at")?,
        failed_at: instant("failed_at")?,
        error,
        bytes: count("bytes")?,
        took_s: count("took_s")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(facts: Value) -> Result<BackupFacts, &'static str> {
        read_facts(facts.as_object().unwrap()).map_err(|bad| bad.field)
    }

    #[test]
    fn the_fields_of_a_backup_are_held_to_what_they_are() {
        let good = json!({
            "completed_at": "1970-01-01T01:00:01+01:00", "failed_at": null, "bytes": 7, "took_s": 0, "snapshot": [1],
        });
        let expected =
            BackupFacts { completed_at: Some(Millis(1000)), bytes: Some(7), took_s: Some(0), ..BackupFacts::default() };
        assert_eq!(read(good.clone()), Ok(expected));
        assert_eq!(read(json!({})), Ok(BackupFacts::default()));
        for (field, value) in [
            ("completed_at", json!("yesterday")),
            ("completed_at", json!("2026-03-29T04:12:09")),
            ("completed_at", json!(1000)),
            ("failed_at", json!([])),
            ("error", json!(7)),
            ("error", json!("x".repeat(BACKUP_ERROR_BYTES_MAX + 1))),
            ("bytes", json!(-1)),
            ("took_s", json!(1.5)),
        ] {
            let mut bad = good.clone();
            bad[field] = value;
            assert_eq!(read(bad), Err(field));
        }
    }
}
