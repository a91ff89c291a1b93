//! The agent's side of the helper's keys: brings it what follows the key set that it believes, until it
//! believes what the agent does. The helper verifies each link for itself.

use super::ask::Helper;
use crate::hub::Hub;

/// Brings the helper up to the agent's key set, if it is not known to have it. What fails is tried again with
/// the next delivery for it.
pub(crate) async fn bring_keys(helper: &Helper, hub: &Hub) {
    if hub.helper_has(hub.keys_version()) {
        return;
    }
    match helper.keys().await {
        Ok(Some(version)) => bring_after(version, helper, hub).await,
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "the helper could not be asked which keys of the hub it believes"),
    }
}

async fn bring_after(mut version: u64, helper: &Helper, hub: &Hub) {
    while version < hub.keys_version() {
        let chain = match hub.key_chain(version).await {
            Ok(chain) => chain,
            Err(error) => return tracing::warn!(%error, "the hub's key sets for the helper could not be fetched"),
        };
        match helper.follow_keys(chain).await {
            Ok(Some(now)) if now > version => version = now,
            Ok(_) => return tracing::warn!(version, "the helper could be brought no newer key set"),
            Err(error) => return tracing::warn!(%error, "the helper refused the hub's newer key set"),
        }
    }
    tracing::info!(version, "the helper believes the hub's newest key set");
    hub.note_helper_has(version);
}
