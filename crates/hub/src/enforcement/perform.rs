//! The loop of the leader: notes what came to be wanted otherwise, and begins what is due, a few zones at once.

use std::sync::Arc;

use super::carry::carry;
use super::note::note;
use crate::app::Shared;
use crate::fault::Fault;

/// What is due is read so many at once: of one zone, one has its turn.
const DUE_PAGE: u32 = 200;

/// One turn. Returns how much was noted and begun.
pub(crate) async fn enforce(app: &Shared) -> Result<u64, Fault> {
    if !app.leader.leads(app) {
        app.enforcements.rest();
        return Ok(0);
    }
    // What cannot be noted does not hold up what is noted.
    let noted = note(app).await;
    let begun = begin_due(app).await?;
    Ok(noted? + begun)
}

async fn begin_due(app: &Shared) -> Result<u64, Fault> {
    if app.enforcements.places.available_permits() == 0 {
        return Ok(0);
    }
    let now = app.clock.now();
    let due = app
        .store
        .read(move |tx| Box::pin(async move { sortie_store::enforcements::due(tx, now, DUE_PAGE).await }))
        .await?;
    let mut begun = 0;
    for row in due {
        let Some(zone) = app.enforcements.take_zone(&row.zone) else { continue };
        let Ok(place) = Arc::clone(&app.enforcements.places).try_acquire_owned() else { break };
        let worker = app.clone();
        app.enforcements.tries.spawn(async move {
            carry(&worker, row).await;
            drop((place, zone));
        });
        begun += 1;
    }
    Ok(begun)
}
