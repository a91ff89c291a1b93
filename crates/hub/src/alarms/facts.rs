//! Judges reports as they come, in the transaction that keeps them.

use std::sync::Arc;

use serde_json::{Value, json};
use sortie_rules::alarms::{Cause, Seen, Verdict};
use sortie_rules::time::Millis;
use sortie_store::alarms::AlarmKey;
use sortie_store::reports::ReportRow;
use sortie_store::{StoreError, Tx};

use super::page::keepable;
use super::rules::Judge;
use super::sheet::{Act, Sheet, kept};
use crate::app::App;
use crate::fault::Fault;

/// What a report means for alarms.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    acts: Arc<Vec<Act>>,
    now: Millis,
}

/// What a node's newest report means. Where no rule names its kind it is not read.
pub(crate) async fn judge(app: &App, row: &ReportRow) -> Result<Judged, Fault> {
    let (now, rules) = (row.received_at, app.alarms.rules.of(&app.store, row.org).await?);
    let judges = rules.of_report(&row.kind);
    if judges.is_empty() {
        return Ok(Judged { acts: Arc::default(), now });
    }
    let facts: Value = row.facts.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let acts = judges.iter().filter_map(|one| judged(app, row, &facts, one)).collect();
    Ok(Judged { acts: Arc::new(acts), now })
}

fn judged(app: &App, row: &ReportRow, facts: &Value, judge: &Arc<Judge>) -> Option<Act> {
    let (seen, subject) = match judge.rule.judge_facts(&row.kind, &row.subject, facts)? {
        Verdict::Begins(subject) => (Seen::Begins, subject),
        Verdict::Ends(subject) => (Seen::Ends, subject),
    };
    let Cause::Facts(test) = &judge.rule.cause else { return None };
    let about = json!({ "kind": row.kind, "field": test.field, "value": facts.pointer(&test.field) });
    let key =
        AlarmKey { org: row.org, rule: judge.rule.name.clone(), node: Some(row.node), subject: keepable(&subject) };
    let (at, id) = (row.received_at, app.entropy.id(row.received_at));
    let data = if seen == Seen::Begins { kept(about, "value") } else { String::new() };
    Some(Act::Seen { key, judge: Arc::clone(judge), seen, at, id, data })
}

impl Judged {
    /// Writes it down. `false` if somebody else has changed one of the alarms at this moment: then nothing of the
    /// transaction may stand.
    pub(crate) async fn write(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        if self.acts.is_empty() {
            return Ok(true);
        }
        let mut sheet = Sheet::read(tx, &self.acts).await?;
        self.acts.iter().for_each(|act| sheet.take(act));
        if sheet.is_blank() { Ok(true) } else { sheet.write(tx, self.now).await }
    }
}
