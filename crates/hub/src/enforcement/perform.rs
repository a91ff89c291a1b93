//! The loop of the leader: notes what came to be wanted otherwise, and begins what is due, a few zones at once.

use std::sync::Arc;

use sortie_store::enforcements;

use super::carry::carry;
use super::note::note;
use crate::app::Shared;
use crate::fault::Fault;

/// What is due is read so many at once: of one zone, one has its turn.
const DUE_PAGE: u32 = 200;
/// Most pages that are read in one turn.
const PAGES_MAX: u32 = 50;

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
    let (now, mut begun) = (app.clock.now(), 0);
    // A zone of which very much is due holds up nobody else.
    for page in 0..PAGES_MAX {
        let skipped = page * DUE_PAGE;
        let due = app
            .store
            .read(move |tx| Box::pin(async move { enforcements::due(tx, now, skipped, DUE_PAGE).await }))
            .await?;
        let is_last = due.len() < DUE_PAGE as usize;
        for row in due {
            let Some(zone) = app.enforcements.take_zone(row.org, &row.zone) else { continue };
            let Ok(place) = Arc::clone(&app.enforcements.places).try_acquire_owned() else { return Ok(begun) };
            let worker = app.clone();
            app.enforcements.tries.spawn(async move {
                carry(&worker, row).await;
                drop((place, zone));
            });
            begun += 1;
        }
        if is_last {
            break;
        }
    }
    Ok(begun)
}
