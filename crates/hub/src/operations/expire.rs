//! Ends operations that too few operators signed in time.

use sortie_rules::audit::Action;
use sortie_rules::operations::expire as decide;
use sortie_store::operations::{self, OperationRow};

use super::read::{proposal, signatures, too_few};
use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::Fault;

/// Operations ended in one transaction.
const BATCH: u32 = 200;

/// Ends those whose time has passed. Returns how many.
pub(crate) async fn expire(app: &App) -> Result<u64, Fault> {
    let now = app.clock.now();
    let overdue = app.store.read(move |tx| Box::pin(async move { operations::overdue(tx, now, BATCH).await })).await?;
    if overdue.is_empty() {
        return Ok(0);
    }
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let mut ended = 0;
                for row in overdue {
                    let have = signatures(&row)?.len();
                    let Ok(life) = decide(proposal(&row, have), now) else { continue };
                    let message = Some(too_few(have, row.wanted));
                    let after = OperationRow { stage: life.stage, ended_at: Some(row.ends_at), message, ..row.clone() };
                    if operations::change(tx, &row, &after).await? {
                        let record = Record::new(row.org, now, "operation.expired", "hub").node(row.node).task(row.id);
                        events::record(tx, record).await?;
                        let act = Act::by_hub(row.org, Action::OperationEnd, now).on("operation", row.id);
                        let changes = serde_json::json!({ "node": row.node, "status": after.stage.as_str() });
                        audit::record(tx, act.named(&row.type_name).changes(changes)).await?;
                        ended += 1;
                    }
                }
                Ok::<_, Fault>(ended)
            })
        })
        .await
}
