//! What a report says of a target, in the transaction that keeps the report.

use serde_json::{Map, Value, json};
use sortie_rules::backups::{BACKUP, BackupFacts, read_facts};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;
use sortie_store::backups::{self, BackupRow};
use sortie_store::reports::ReportRow;
use sortie_store::{StoreError, Tx};
use sortie_wire::problem::ProblemCode;

use crate::events::{Record, record};
use crate::fault::{Fault, refuse_at};

/// What a report says of a target.
#[derive(Debug, Clone)]
pub(crate) struct Noted {
    node: NodeId,
    org: OrgId,
    target: String,
    facts: BackupFacts,
    now: Millis,
}

/// What a report says of a target, if it is about one.
///
/// # Errors
/// A field is not what it must be in a report of a backup.
pub(crate) fn note(row: &ReportRow) -> Result<Option<Noted>, Fault> {
    if row.kind != BACKUP || row.subject.is_empty() {
        return Ok(None);
    }
    let facts: Map<String, Value> =
        row.facts.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let invalid = |bad: sortie_rules::backups::BadFacts| {
        refuse_at(ProblemCode::FieldInvalid, format!("/facts/{}", bad.field), format!("In a report of a backup {bad}."))
    };
    let facts = read_facts(&facts).map_err(invalid)?;
    let (node, org, target, now) = (row.node, row.org, row.subject.clone(), row.received_at);
    Ok(Some(Noted { node, org, target, facts, now }))
}

impl Noted {
    /// Writes it down. A day on which the backup was missed, and that it makes up for, is told.
    pub(crate) async fn write(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let before = backups::get(tx, self.node, &self.target).await?;
        let (row, is_made_up) = self.after(before.as_ref());
        backups::put(tx, &row).await?;
        if is_made_up {
            let data = json!({ "target": self.target, "completed_at": row.completed_at });
            let told = Record::new(self.org, self.now, "backup.caught_up", "hub").node(self.node).data(&data);
            record(tx, told).await?;
        }
        Ok(())
    }

    /// What is known of the target then, and whether it makes up for a day on which it was missed. What the report does
    /// not say stays; what it says of the future, by a clock that is ahead, was by now.
    fn after(&self, before: Option<&BackupRow>) -> (BackupRow, bool) {
        let newest = |said: Option<Millis>, former: Option<Millis>| said.map(|at| at.min(self.now)).or(former);
        let completed_at = newest(self.facts.completed_at, before.and_then(|before| before.completed_at));
        let failed_at = newest(self.facts.failed_at, before.and_then(|before| before.failed_at));
        let missed_since = before.and_then(|before| before.missed_since);
        let is_made_up = missed_since.zip(completed_at).is_some_and(|(since, at)| at >= since);
        let row = BackupRow {
            node: self.node,
            target: self.target.clone(),
            completed_at,
            failed_at,
            reported_at: Some(self.now),
            missed_since: missed_since.filter(|_| !is_made_up),
        };
        (row, is_made_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::{DEFAULT_ORG, Id};

    fn report(subject: &str, facts: Value) -> ReportRow {
        ReportRow {
            node: Id::from_uuid(uuid::Uuid::from_u128(1)),
            org: DEFAULT_ORG,
            kind: BACKUP.into(),
            subject: subject.into(),
            number: 1,
            taken_at: Millis(0),
            received_at: Millis(100_000),
            source: "backup".into(),
            facts: Some(facts.to_string()),
        }
    }

    fn noted(facts: Value) -> Noted {
        note(&report("home", facts)).unwrap().unwrap()
    }

    #[test]
    fn what_is_not_said_stays_and_the_future_is_now() {
        let (first, _) = noted(json!({ "completed_at": "1970-01-01T00:00:50Z" })).after(None);
        assert_eq!((first.completed_at, first.failed_at), (Some(Millis(50_000)), None));
        let (second, _) = noted(json!({ "failed_at": "2099-01-01T00:00:00Z" })).after(Some(&first));
        assert_eq!((second.completed_at, second.failed_at), (Some(Millis(50_000)), Some(Millis(100_000))));
        let (older, _) = noted(json!({ "completed_at": "1970-01-01T00:00:10Z" })).after(Some(&second));
        assert_eq!(older.completed_at, Some(Millis(10_000)), "the box was set back: the newest report counts");
    }

    #[test]
    fn a_day_is_made_up_once_by_a_backup_that_is_not_older() {
        let missed = |since: i64| {
            let (row, _) = noted(json!({})).after(None);
            BackupRow { missed_since: Some(Millis(since)), ..row }
        };
        let done = noted(json!({ "completed_at": "1970-01-01T00:00:50Z" }));
        let (row, is_made_up) = done.after(Some(&missed(50_000)));
        assert!(is_made_up && row.missed_since.is_none());
        assert!(!done.after(Some(&row)).1, "once");
        let (row, is_made_up) = done.after(Some(&missed(50_001)));
        assert!(!is_made_up && row.missed_since == Some(Millis(50_001)));
    }

    #[test]
    fn only_reports_of_a_target_are_held_to_anything() {
        let odd = json!({ "completed_at": 7 });
        assert!(note(&report("", odd.clone())).unwrap().is_none());
        assert!(note(&ReportRow { kind: "disks".into(), ..report("home", odd.clone()) }).unwrap().is_none());
        let refused = note(&report("home", odd)).unwrap_err().to_problem();
        assert_eq!(refused.pointer.as_deref(), Some("/facts/completed_at"));
    }
}
