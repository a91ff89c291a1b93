//! Follows the events that change what is in memory: those of this hub and of the others on its database alike.

use sortie_rules::limits::READ_MODEL_EVENTS_MAX;
use sortie_rules::summaries::{Part, Touched, touched};
use sortie_store::events;

use crate::app::App;
use crate::fault::Fault;

/// Takes for old what has changed since it was read. Where nothing new is in memory nobody looks. Returns how many
/// kinds of events were found.
pub(crate) async fn evict(app: &App) -> Result<u64, Fault> {
    let models = &app.summaries;
    let Some(after) = models.oldest_event() else { return Ok(0) };
    let (newest, kinds) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let newest = events::last_number(tx).await?;
                let are_few = newest.saturating_sub(after) <= READ_MODEL_EVENTS_MAX;
                let kinds = if are_few { Some(events::kinds_between(tx, after, newest).await?) } else { None };
                Ok::<_, Fault>((newest, kinds))
            })
        })
        .await?;
    let Some(kinds) = kinds else {
        Part::ALL.into_iter().for_each(|part| models.evict_all(part, newest));
        return Ok(1);
    };
    for (org, kind, number) in &kinds {
        match touched(kind) {
            Touched::OfItsOrg(parts) => parts.iter().for_each(|part| models.evict(*part, *org, *number)),
            Touched::OfAllOrgs(parts) => parts.iter().for_each(|part| models.evict_all(*part, *number)),
        }
    }
    models.looked_through(after, newest);
    Ok(kinds.len() as u64)
}
