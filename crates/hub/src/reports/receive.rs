//! Takes a report of a node.

use serde_json::value::RawValue;
use sortie_rules::limits::{REPORT_KINDS_PER_NODE_MAX, REPORT_SOURCE_BYTES_MAX, REPORTS_PER_KIND_MAX};
use sortie_rules::names::check_name;
use sortie_rules::reports::SUBJECT_BYTES_MAX;
use sortie_store::reports::{self, NUMBER_TAKEN, ReportRow};
use sortie_store::{StoreError, Tx};
use sortie_wire::problem::ProblemCode;
use sortie_wire::readable::is_unambiguous;
use sortie_wire::reports::SendReport;

use crate::alarms::{self, Judged};
use crate::app::App;
use crate::backups::{self, Noted};
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::NodeCaller;

/// How often a report is begun anew whose alarms somebody else changes at the same moment.
const TRIES: u32 = 3;

/// Keeps a report. One that says what the newest of its kind says is kept as well: that it is so still is a fact.
pub(super) async fn receive(app: &App, caller: &NodeCaller, report: SendReport) -> Result<(), Fault> {
    check(&report)?;
    let row = ReportRow {
        node: caller.node,
        org: caller.org,
        kind: report.kind,
        subject: report.subject.unwrap_or_default(),
        number: 0,
        taken_at: report.taken_at,
        received_at: app.clock.now(),
        source: report.source,
        facts: Some(report.facts.get().to_owned()),
    };
    let judged = alarms::judge(app, &row).await?;
    let noted = backups::note(&row)?;
    for _ in 0..TRIES {
        let (row, judged, noted) = (row.clone(), judged.clone(), noted.clone());
        let written = app.store.write(move |tx| Box::pin(async move { write(tx, row, &judged, noted.as_ref()).await }));
        match written.await {
            Ok(()) => return Ok(()),
            Err(Lost::Overtaken) => {}
            Err(Lost::Fault(Fault::Store(error))) if error.is_taken(NUMBER_TAKEN) => {
                let detail = "Another report of this kind came at the same moment; send it again.";
                return Err(refuse(ProblemCode::Conflict, detail));
            }
            Err(Lost::Fault(fault)) => return Err(fault),
        }
    }
    // No conflict: what a node is told of as one it throws away.
    let detail = "An alarm that it is about is being changed again and again; send it once more.";
    Err(refuse(ProblemCode::StorageUnavailable, detail))
}

/// Why a report was not written down.
#[derive(Debug)]
enum Lost {
    /// Somebody else has changed one of its alarms at this moment.
    Overtaken,
    /// Something else.
    Fault(Fault),
}

impl From<StoreError> for Lost {
    fn from(error: StoreError) -> Lost {
        Lost::Fault(error.into())
    }
}

async fn write(tx: &mut Tx, row: ReportRow, judged: &Judged, noted: Option<&Noted>) -> Result<(), Lost> {
    let former = reports::newest_number(tx, row.node, &row.kind, &row.subject).await?;
    if former == 0 && reports::count_kinds(tx, row.node).await? >= REPORT_KINDS_PER_NODE_MAX {
        let detail = format!("A node sends at most {REPORT_KINDS_PER_NODE_MAX} kinds and subjects.");
        return Err(Lost::Fault(refuse_at(ProblemCode::FieldInvalid, "/kind", detail)));
    }
    let row = ReportRow { number: former + 1, ..row };
    reports::insert(tx, &row, REPORTS_PER_KIND_MAX).await?;
    if let Some(noted) = noted {
        noted.write(tx).await?;
    }
    if judged.write(tx).await? { Ok(()) } else { Err(Lost::Overtaken) }
}

fn check(report: &SendReport) -> Result<(), Fault> {
    let invalid = |at: &str, detail: String| refuse_at(ProblemCode::FieldInvalid, at, detail);
    check_name("kind of report", &report.kind).map_err(|error| invalid("/kind", format!("{error}.")))?;
    let is_odd = |subject: &String| {
        subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX || subject.chars().any(char::is_control)
    };
    if report.subject.as_ref().is_some_and(is_odd) {
        let detail = format!("A subject has from 1 to {SUBJECT_BYTES_MAX} bytes and no control characters.");
        return Err(invalid("/subject", detail));
    }
    let source = &report.source;
    if source.is_empty() || source.len() > REPORT_SOURCE_BYTES_MAX || source.chars().any(char::is_control) {
        let detail = format!("A source has from 1 to {REPORT_SOURCE_BYTES_MAX} bytes and no control characters.");
        return Err(invalid("/source", detail));
    }
    let is_object = report.facts.get().trim_start().starts_with('{');
    let facts: &RawValue = &report.facts;
    if !is_object || !is_unambiguous(facts) {
        return Err(invalid("/facts", "Facts are an object in which each key is there once.".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_report_is_pointed_at() {
        let good = json!({"kind": "backup", "subject": "nas-1", "taken_at": 5, "source": "agent", "facts": {"a": 1}});
        check(&serde_json::from_value(good.clone()).unwrap()).unwrap();
        for (field, value) in [
            ("kind", json!("Back Up")),
            ("subject", json!("")),
            ("source", json!("")),
            ("source", json!("x\ny")),
            ("facts", json!([1])),
        ] {
            let mut bad = good.clone();
            bad[field] = value;
            let problem = check(&serde_json::from_value(bad).unwrap()).unwrap_err().to_problem();
            assert_eq!(problem.pointer, Some(format!("/{field}")));
        }
    }
}
