//! Gives a node a new certificate for the key that it has.

use sortie_store::nodes;
use sortie_wire::enrollment::{Renew, Renewed};
use sortie_wire::problem::ProblemCode;

use super::enroll::{check_facts, read_key};
use crate::app::Shared;
use crate::events::{self, Record};
use crate::fault::{Fault, refuse_at, refuse_for};
use crate::http::NodeCaller;

/// Renews. The key stays: another key needs an invite.
pub(crate) async fn renew(app: &Shared, caller: NodeCaller, request: Renew) -> Result<Renewed, Fault> {
    let key = read_key(&request.certificate_request)?;
    check_facts(&request.facts)?;
    let known = app.nodes.find(&app.store, caller.node).await?;
    if known.is_none_or(|known| known.key_fingerprint != key.fingerprint()) {
        let detail = "A renewal is for the key that the node enrolled with; another key needs an invite.";
        return Err(refuse_at(ProblemCode::FieldInvalid, "/certificate_request", detail));
    }
    let (now, renewed) = (app.clock.now(), caller.node);
    app.rates.note_of_node(caller.node, now).map_err(|wait| {
        let detail = "This node has got many certificates lately; come back in a while.";
        refuse_for(wait, ProblemCode::RateLimited, detail)
    })?;
    let held = app.ring.held();
    let keys_version = held.ring().version;
    let certificate = held.issuer().vouch_for_node(&key, caller.node, &app.entropy, now);
    let (until, facts) = (certificate.not_after, serde_json::to_string(&request.facts).unwrap_or_default());
    app.store
        .write(move |tx| {
            Box::pin(async move {
                nodes::set_certificate(tx, caller.node, until).await?;
                nodes::set_facts(tx, caller.node, &facts).await?;
                let data = serde_json::json!({ "until": until });
                let record = Record::new(caller.org, now, "node.renewed", caller.name()).node(caller.node);
                events::record(tx, record.data(&data)).await?;
                Ok::<_, Fault>(())
            })
        })
        .await?;
    app.nodes.forget(renewed);
    Ok(Renewed { certificate, keys_version, now })
}
