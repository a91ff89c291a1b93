//! What time alone changes: what has been so for long enough stands, and what has stood for as long as it lasts is
//! over.

use std::sync::Arc;

use sortie_rules::alarms::Seen;
use sortie_rules::limits::ALARMS_AT_ONCE;
use sortie_store::alarms;

use super::sheet::{Act, Sheet};
use crate::app::App;
use crate::fault::Fault;
use crate::liveness::mind_clock;

/// Looks at all that is due. Returns how many alarms that were.
pub(super) async fn change_due(app: &App) -> Result<u64, Fault> {
    let mut total = 0;
    loop {
        let now = app.clock.now();
        // A clock that was put forward makes nothing due.
        mind_clock(app).await?;
        let rows =
            app.store.read(move |tx| Box::pin(async move { alarms::due(tx, now, ALARMS_AT_ONCE).await })).await?;
        if rows.is_empty() {
            return Ok(total);
        }
        let mut acts = Vec::with_capacity(rows.len());
        for row in &rows {
            let rules = app.alarms.rules.of(&app.store, row.key.org).await?;
            let key = row.key.clone();
            acts.push(match rules.get(&row.key.rule).cloned() {
                Some(judge) => Act::Seen { key, judge, seen: Seen::Time, at: now, id: row.id, data: String::new() },
                None => Act::Unjudged { key, at: now },
            });
        }
        let (count, acts, rows) = (rows.len(), Arc::new(acts), Arc::new(rows));
        let stands = app.store.write(move |tx| {
            Box::pin(async move {
                let mut sheet = Sheet::of(rows.to_vec());
                acts.iter().for_each(|act| sheet.take(act));
                if sheet.write(tx, now).await? { Ok(()) } else { Err(overtaken()) }
            })
        });
        stands.await?;
        total += count as u64;
        if count < ALARMS_AT_ONCE as usize {
            return Ok(total);
        }
    }
}

/// Why nothing was written.
pub(super) fn overtaken() -> Fault {
    Fault::Broken("an alarm was changed at the same moment; it is looked at again".to_owned())
}
