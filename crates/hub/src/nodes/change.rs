//! Changes what is intended of a node: site, host, kind, labels, thresholds.

use sortie_rules::liveness::ChosenThresholds;
use sortie_rules::names::{check_labels, check_name};
use sortie_rules::time::Span;
use sortie_store::nodes::{self, NodeIntent};
use sortie_wire::nodes::{ChangeNode, Node};
use sortie_wire::problem::ProblemCode;

use super::hosts::NotThere;
use super::{hosts, show, sites};
use crate::app::App;
use crate::audit::{self, Act};
use crate::desired;
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::people::Principal;

/// Changes what the request names and leaves the rest.
pub(crate) async fn change(app: &App, who: &Principal, node: &str, request: ChangeNode) -> Result<Node, Fault> {
    let id = app.nodes.find_named(&app.store, who.org, node).await?.id;
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("node", id);
    let presence = app.settings.presence.clone();
    let row = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let unknown = || refuse(ProblemCode::UnknownNode, "There is no such node.");
                // Held before it is read, so that nobody else's change is written over.
                let host = match request.host.as_deref().filter(|host| !host.is_empty()) {
                    Some(host) => Some(hosts::find(tx, org, Some(id), host).await.map_err(NotThere::in_request)?.id),
                    None => nodes::hold(tx, org, &[id]).await.map(|()| None)?,
                };
                let before = nodes::get(tx, org, id).await?.ok_or_else(unknown)?;
                let was = NodeIntent {
                    site: before.site,
                    host: before.host.map(|host| host.id),
                    kind: before.kind,
                    labels: before.labels,
                    stale_after: before.stale_after,
                    down_after: before.down_after,
                };
                let mut intent = apply(was, &request)?;
                if request.host.is_some() {
                    intent.host = host;
                }
                let defaults = presence.thresholds(&intent.kind);
                let stale_after = intent.stale_after.unwrap_or(defaults.stale_after);
                if intent.down_after.unwrap_or(defaults.down_after) < stale_after {
                    let detail = "A node cannot be called down before it is called stale.";
                    return Err(refuse_at(ProblemCode::FieldInvalid, "/down_after", detail));
                }
                if let Some(site) = &intent.site {
                    sites::make_if_missing(tx, org, site, now).await?;
                }
                nodes::set_intent(tx, org, id, &intent).await?;
                desired::change_site(tx, org, id, intent.site.as_deref(), now).await?;
                let data = serde_json::to_value(&request).unwrap_or_default();
                events::record(tx, Record::new(org, now, "node.changed", &actor).node(id).data(&data)).await?;
                audit::record(tx, act.named(&before.name).changes(data)).await?;
                nodes::get(tx, org, id).await?.ok_or_else(unknown)
            })
        })
        .await?;
    app.nodes.forget(id);
    app.desired.generations.forget(id);
    app.enforcements.changed(id);
    app.waiting.end_wait(id);
    let chosen = ChosenThresholds { stale_after: row.stale_after, down_after: row.down_after };
    app.presence.set_thresholds(id, &row.kind, chosen);
    Ok(show::shown(app, row))
}

fn apply(mut intent: NodeIntent, request: &ChangeNode) -> Result<NodeIntent, Fault> {
    let invalid = |pointer: &'static str| {
        move |error: sortie_rules::names::BadName| refuse_at(ProblemCode::FieldInvalid, pointer, format!("{error}."))
    };
    if let Some(site) = &request.site {
        intent.site = (!site.is_empty()).then(|| site.clone());
        intent.site.as_deref().map_or(Ok(()), |site| check_name("site", site)).map_err(invalid("/site"))?;
    }
    if let Some(kind) = &request.kind {
        check_name("kind", kind).map_err(invalid("/kind"))?;
        intent.kind.clone_from(kind);
    }
    for (key, value) in &request.labels {
        match value {
            Some(value) => drop(intent.labels.insert(key.clone(), value.clone())),
            None => drop(intent.labels.remove(key)),
        }
    }
    check_labels(&intent.labels).map_err(invalid("/labels"))?;
    let threshold = |asked: Option<Span>, was: Option<Span>| match asked {
        None => was,
        Some(span) => (span.0 > 0).then_some(span),
    };
    intent.stale_after = threshold(request.stale_after, intent.stale_after);
    intent.down_after = threshold(request.down_after, intent.down_after);
    Ok(intent)
}
