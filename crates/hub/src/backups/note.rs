//! What a report says of a target, in the transaction that keeps the report.

use serde_json::{Map, Value, json};
use sortie_rules::backups::{BACKUP, BackupFacts, read_facts};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;
use sortie_store::backups::{self, SaidRow};
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
        let said = self.said();
        if backups::put(tx, &said).await? {
            let data = json!({ "target": said.target, "completed_at": said.completed_at });
            let told = Record::new(self.org, self.now, "backup.caught_up", "hub").node(self.node).data(&data);
            record(tx, told).await?;
        }
        Ok(())
    }

    /// What is written down: what it says of the future, by a clock that is ahead, was by now.
    fn said(&self) -> SaidRow {
        let by_now = |said: Option<Millis>| said.map(|at| at.min(self.now));
        SaidRow {
            node: self.node,
            target: self.target.clone(),
            completed_at: by_now(self.facts.completed_at),
            failed_at: by_now(self.facts.failed_at),
            reported_at: self.now,
        }
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
    fn what_is_said_of_the_future_was_by_now() {
        let said = noted(json!({ "completed_at": "1970-01-01T00:00:50Z", "failed_at": "2099-01-01T00:00:00Z" })).said();
        assert_eq!((said.completed_at, said.failed_at), (Some(Millis(50_000)), Some(Millis(100_000))));
        let nothing = noted(json!({})).said();
        assert_eq!((nothing.completed_at, nothing.failed_at), (None, None));
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
