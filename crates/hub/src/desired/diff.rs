//! What differs between two states of a layer.

use serde_json::{Value, json};
use sortie_rules::desired::layers_differ;
use sortie_store::Tx;
use sortie_store::desired::drafts;
use sortie_store::desired::publications::{self, LayerKey};
use sortie_wire::desired::{Diff, DiffQuery};

use super::publish::nodes_of;
use super::show::{parsed, unknown_revision};
use crate::app::App;
use crate::fault::Fault;

/// Compares two states of a layer: what stands with the draft, unless revisions are named.
pub(super) async fn diff(app: &App, key: LayerKey, query: DiffQuery) -> Result<Diff, Fault> {
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let stands = publications::standing(tx, &key).await?;
                let from = of_revision(tx, &key, query.from.unwrap_or(stands)).await?;
                let draft = drafts::get(tx, &key).await?.and_then(|row| row.state);
                let to = match (query.to, draft) {
                    (Some(revision), _) => of_revision(tx, &key, revision).await?,
                    (None, Some(draft)) => parsed(&draft)?,
                    (None, None) => of_revision(tx, &key, stands).await?,
                };
                let nodes = nodes_of(tx, &key, None).await?.len();
                let changes = layers_differ(&from, &to);
                Ok::<_, Fault>(Diff { changes, nodes: u32::try_from(nodes).unwrap_or(u32::MAX) })
            })
        })
        .await
}

async fn of_revision(tx: &mut Tx, key: &LayerKey, revision: u64) -> Result<Value, Fault> {
    if revision == 0 {
        return Ok(json!({}));
    }
    let text = publications::state_of_revision(tx, key, revision).await?;
    parsed(&text.ok_or_else(|| unknown_revision(revision))?)
}
