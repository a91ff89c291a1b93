//! Revokes a node: its certificate is void from the next request on, on open connections too.

use sortie_store::nodes;
use sortie_wire::nodes::Node;
use sortie_wire::problem::ProblemCode;

use super::show::shown;
use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// Revokes a node. One that is revoked already stays as it is.
pub(crate) async fn revoke(app: &App, who: &Principal, node: &str) -> Result<Node, Fault> {
    let id = app.nodes.find_named(&app.store, who.org, node).await?.id;
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("node", id);
    let row = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let is_new = nodes::revoke(tx, org, id, now).await?;
                let unknown = || refuse(ProblemCode::UnknownNode, "There is no such node.");
                let row = nodes::get(tx, org, id).await?.ok_or_else(unknown)?;
                if is_new {
                    events::record(tx, Record::new(org, now, "node.revoked", &actor).node(id)).await?;
                    audit::record(tx, act.named(&row.name)).await?;
                }
                Ok::<_, Fault>(row)
            })
        })
        .await?;
    app.nodes.forget(id);
    app.presence.forget(id);
    app.waiting.forget(id);
    // What stands at the edge for it goes.
    app.enforcements.changed(id);
    Ok(shown(app, row))
}
