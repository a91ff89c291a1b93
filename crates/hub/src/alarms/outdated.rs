//! Ends the alarms whose rule is another one by now, or none: what was before is not judged by it.

use sortie_rules::ids::OrgId;
use sortie_rules::limits::ALARMS_AT_ONCE;
use sortie_store::alarms;

use super::due::overtaken;
use super::sheet::{Act, Sheet};
use crate::app::App;
use crate::fault::Fault;

/// Ends those of one org, or of all. Returns how many.
pub(super) async fn end_all(app: &App, only: Option<OrgId>) -> Result<u64, Fault> {
    let (mut total, mut after) = (0, only.map(|org| (org, String::new())));
    loop {
        let before = after.clone();
        let next = app.store.read(move |tx| {
            Box::pin(async move {
                let before = before.as_ref().map(|(org, rule)| (*org, rule.as_str()));
                alarms::next_live_rule(tx, before).await
            })
        });
        match next.await? {
            Some((org, rule)) if only.is_none_or(|only| only == org) => {
                total += end(app, org, &rule).await?;
                after = Some((org, rule));
            }
            _ => return Ok(total),
        }
    }
}

async fn end(app: &App, org: OrgId, name: &str) -> Result<u64, Fault> {
    let rules = app.alarms.rules.of(&app.store, org).await?;
    let hash = rules.get(name).map(|judge| judge.hash.clone()).unwrap_or_default();
    let mut total = 0;
    loop {
        let (name, hash, now) = (name.to_owned(), hash.clone(), app.clock.now());
        let ended = app.store.write(move |tx| {
            Box::pin(async move {
                let rows = alarms::judged_otherwise(tx, org, &name, &hash, ALARMS_AT_ONCE).await?;
                let acts: Vec<Act> = rows.iter().map(|row| Act::Unjudged { key: row.key.clone(), at: now }).collect();
                let mut sheet = Sheet::of(rows);
                acts.iter().for_each(|act| sheet.take(act));
                if sheet.write(tx, now).await? { Ok(acts.len()) } else { Err(overtaken()) }
            })
        });
        let ended = ended.await?;
        total += ended as u64;
        if ended < ALARMS_AT_ONCE as usize {
            return Ok(total);
        }
    }
}
