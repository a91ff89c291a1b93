//! What becomes of a node's tasks when another agent takes its place.

use sortie_rules::ids::NodeId;
use sortie_rules::tasks::{Finished, Outcome, Report, finish};
use sortie_rules::time::Millis;
use sortie_store::Tx;
use sortie_store::tasks::{self, Stamps};

use super::events::changed;
use crate::fault::Fault;
use crate::packs::TaskTypes;

/// Ends what the former agent of a node held and may not be repeated: its ledger went with it, so
/// nobody can tell whether the effects have happened. What may be repeated lapses and is handed out
/// again.
pub(crate) async fn abandon_held(tx: &mut Tx, types: &TaskTypes, node: NodeId, now: Millis) -> Result<(), Fault> {
    for held in tasks::held_by(tx, node).await? {
        let Some(row) = tasks::get_life(tx, held.id).await?.filter(|row| !row.idempotent) else { continue };
        let report =
            Report { run: row.life.run, attempt: row.life.attempt, outcome: Outcome::Interrupted, is_recorded: false };
        let Ok(Finished::Changed(after)) = finish(&row.life, &report, now, 0) else { continue };
        let message = "another agent took the node's place while this was under way";
        let stamps = Stamps { finished_at: Some(now), message: Some(message), ..Stamps::default() };
        if tasks::update(tx, row.id, &row.life, &after, &stamps).await? {
            changed(tx, types, &row, &after, ("hub", now)).await?;
        }
    }
    Ok(())
}
