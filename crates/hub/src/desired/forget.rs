//! Forgets old publications, each with the revision that it made: not those that some node has, nor what stands, nor
//! the newest of a layer, nor any of a layer of which one goes out at this moment and may be taken back.

use sortie_rules::desired::PublicationStatus;
use sortie_rules::ids::PublicationId;
use sortie_rules::time::{Millis, Span};
use sortie_store::desired::pins;
use sortie_store::desired::publications::{self, LayerKey};
use sortie_store::{StoreError, Tx};

use crate::app::App;
use crate::fault::Fault;

/// Publications looked at in one transaction.
const LOOKED_AT: u32 = 100;
/// Most of them that are deleted in one: each may have thousands of nodes.
const BATCH: u64 = 10;
/// How long a layer has been at rest before anything of it is forgotten: longer than any transaction lasts.
const SETTLES: Span = Span::minutes(10);

/// Looks at some, where it ended the last time, and deletes those that nobody needs. Returns how many went.
pub(crate) async fn forget(app: &App) -> Result<u64, Fault> {
    let now = app.clock.now();
    let before = now - Span::days(app.settings.retention.publications_d.into());
    let after = app.desired.walk();
    let turn = app.store.write(move |tx| {
        Box::pin(async move {
            let (mut gone, mut last) = (0, None);
            let rows = publications::over_before(tx, after, before, LOOKED_AT).await?;
            let is_end = rows.len() < LOOKED_AT as usize;
            for (id, key, revision) in rows {
                if gone == BATCH {
                    return Ok((gone, last));
                }
                if !is_needed(tx, &key, revision, now).await? {
                    publications::forget(tx, id).await?;
                    gone += 1;
                }
                last = Some(id);
            }
            Ok::<(u64, Option<PublicationId>), StoreError>((gone, last.filter(|_| !is_end)))
        })
    });
    let (gone, last) = turn.await?;
    app.desired.walk_on(last);
    Ok(gone)
}

/// Whether somebody needs a revision, or may come to. One that stopped may still be taken back, to any revision that
/// its nodes had; and for a while after the newest was over, others may be about to write down what they read before.
async fn is_needed(tx: &mut Tx, key: &LayerKey, revision: u64, now: Millis) -> Result<bool, StoreError> {
    let Some(newest) = publications::history(tx, key, None, 1).await?.pop() else { return Ok(true) };
    let is_settled = newest.life.status != PublicationStatus::Stopped
        && newest.finished_at.is_some_and(|over| now.since(over) >= SETTLES);
    Ok(!is_settled
        || newest.revision == revision
        || publications::standing(tx, key).await? == revision
        || !pins::having(tx, key, revision, None, 1).await?.is_empty())
}
