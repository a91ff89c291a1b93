//! Writes down with what a node proves who it is, when that has changed: people shall see which of their sites
//! come through something that opens connections.

use std::sync::Arc;

use sortie_rules::proofs::Proof;
use sortie_store::nodes;

use super::directory::Known;
use crate::app::Shared;
use crate::events::{self, Record};
use crate::fault::Fault;

/// Notes it, in the background.
pub(crate) fn note_proof(app: &Shared, known: &Arc<Known>, proof: Proof) {
    let now = app.clock.now();
    let Some(before) = known.proves(proof, now) else { return };
    let (app, node, org) = (app.clone(), known.id, known.org);
    tokio::spawn(async move {
        let written = app
            .store
            .write(move |tx| {
                Box::pin(async move {
                    nodes::set_proof(tx, node, proof).await?;
                    // The first is none: a node has to come somehow.
                    if let Some(before) = before {
                        let data = serde_json::json!({ "proof": proof, "before": before });
                        let record = Record::new(org, now, "node.proof_changed", "hub").node(node);
                        events::record(tx, record.data(&data)).await?;
                    }
                    Ok::<_, Fault>(())
                })
            })
            .await;
        if let Err(error) = written {
            tracing::warn!(%node, %error, "Could not write down with what a node proves who it is");
            app.nodes.forget(node);
        }
    });
}
