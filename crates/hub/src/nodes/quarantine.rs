//! A node with whose key two agents came: neither gets tasks until an operator has decided.
//!
//! Either the disk was restored from an older copy and its agent is the only one: then the node is readmitted, and
//! whoever comes next with the key is the node. Or there are two: one is stopped for good and the node readmitted
//! for the other, or an invite made with --replace gives the node another key and shuts both out.

use sortie_rules::deliveries::Ask;
use sortie_store::nodes;
use sortie_wire::nodes::Node;
use sortie_wire::problem::ProblemCode;

use super::show::shown;
use crate::app::{App, Shared};
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::http::NodeCaller;
use crate::people::Principal;
use crate::tasks::abandon_held;

/// Quarantines the calling node: this wait does not fit to those before.
pub(crate) async fn quarantine(app: &Shared, caller: &NodeCaller, ask: Ask) -> Result<(), Fault> {
    let (org, node, now) = (caller.org, caller.node, app.clock.now());
    app.store
        .write(move |tx| {
            Box::pin(async move {
                if nodes::quarantine(tx, node, now).await? {
                    let data = serde_json::json!({ "boot": ask.boot, "ack": ask.ack });
                    let record = Record::new(org, now, "node.quarantined", "hub").node(node).data(&data);
                    events::record(tx, record).await?;
                }
                Ok::<_, Fault>(())
            })
        })
        .await?;
    app.nodes.forget(node);
    app.waiting.forget(node);
    Ok(())
}

/// What both of the two are told.
pub(crate) fn quarantined() -> Fault {
    let detail = "Two agents came with this node's key, or its disk was restored from an older copy, so it gets no \
                  tasks until an operator has decided: `sortie node readmit NAME` if there is only one (again), or an \
                  invite made with --replace for one of the two.";
    refuse(ProblemCode::NodeQuarantined, detail)
}

fn revoked(name: &str) -> Fault {
    let detail = format!(
        "The node `{name}` was revoked, which no readmission undoes: only an invite made with --replace lets it in \
         again (`sortie invite create --node {name} --replace`)."
    );
    refuse(ProblemCode::NodeRevoked, detail)
}

/// Readmits a node: whoever comes next with its key is the node. What was under way on the old line and may not be
/// repeated is interrupted, since nobody can tell which agent has done it. One that is not quarantined stays as it
/// is; one that was revoked is refused, since nothing here lets it in again.
pub(crate) async fn readmit(app: &App, who: &Principal, node: &str) -> Result<Node, Fault> {
    let id = app.nodes.find_named(&app.store, who.org, node).await?.id;
    let (org, actor, now, types) = (who.org, who.name.clone(), app.clock.now(), app.types.load_full());
    let act = Act::by(who, now)?.on("node", id);
    let row = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let was = nodes::readmit(tx, org, id).await?;
                let unknown = || refuse(ProblemCode::UnknownNode, "There is no such node.");
                let row = nodes::get(tx, org, id).await?.ok_or_else(unknown)?;
                if row.revoked_at.is_some() {
                    return Err(revoked(&row.name));
                }
                if was {
                    abandon_held(tx, &types, id, now).await?;
                    events::record(tx, Record::new(org, now, "node.readmitted", &actor).node(id)).await?;
                    audit::record(tx, act.named(&row.name)).await?;
                }
                Ok::<_, Fault>(row)
            })
        })
        .await?;
    app.nodes.forget(id);
    app.waiting.forget(id);
    Ok(shown(app, row))
}
