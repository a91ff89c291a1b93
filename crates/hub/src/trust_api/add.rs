//! Makes nodes for clients of the trust API, and gives them keys. A key is shown once; the store keeps a
//! hash, and the node's row says which key counts.

use sortie_rules::ids::{NodeId, TrustKeyId};
use sortie_rules::liveness::{ChosenThresholds, Presence};
use sortie_rules::names::{check_labels, check_name};
use sortie_rules::time::Millis;
use sortie_store::nodes::{self, NodeRow};
use sortie_store::trust_keys::{self, TrustKeyRow};
use sortie_store::{StoreError, Tx};
use sortie_wire::problem::ProblemCode;
use sortie_wire::trusts::{AddNode, AddedNode};

use super::authenticate::{KEY_PREFIX, fingerprint};
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::nodes::{show, sites};
use crate::people::Principal;

/// Makes a node that has no certificate.
pub(super) async fn add(app: &Shared, who: &Principal, request: AddNode) -> Result<AddedNode, Fault> {
    is_on(app)?;
    let kind = request.kind.unwrap_or_else(|| "trust".to_owned());
    let bad = |at: &str| {
        let at = at.to_owned();
        move |error: sortie_rules::names::BadName| refuse_at(ProblemCode::FieldInvalid, at, format!("{error}."))
    };
    check_name("node name", &request.name).map_err(bad("/name"))?;
    check_name("kind", &kind).map_err(bad("/kind"))?;
    check_labels(&request.labels).map_err(bad("/labels"))?;
    if let Some(site) = &request.site {
        check_name("site key", site).map_err(bad("/site"))?;
    }
    if !app.settings.node_names.is_empty() && !app.settings.node_names.contains(&request.name) {
        let detail = "This hub's setting `node_names` does not list this name.";
        return Err(refuse_at(ProblemCode::Forbidden, "/name", detail));
    }
    let now = app.clock.now();
    let (node, key): (NodeId, TrustKeyId) = (app.entropy.id(now), app.entropy.id(now));
    let row = NodeRow {
        id: node,
        org: who.org,
        name: request.name,
        site: request.site,
        host: None,
        kind,
        labels: request.labels,
        key_fingerprint: fingerprint(key),
        // It has none, so it ends with nothing.
        certificate_until: now,
        enrolled_at: now,
        revoked_at: None,
        presence: Presence::New,
        presence_at: now,
        heard_at: None,
        silent_since: now,
        delivered: 0,
        acknowledged: 0,
        proof: None,
        clock: None,
        clock_skew_ms: None,
        quarantined_at: None,
        keys_version: None,
        issued_by: None,
        facts: None,
        stale_after: None,
        down_after: None,
        standing: None,
    };
    let kind = row.kind.clone();
    let key_row = key_row(app, who, key, node, now);
    let actor = who.name.clone();
    let act = Act::by(who, now)?.on("node", node);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(site) = &row.site {
                    sites::make_if_missing(tx, row.org, site, now).await?;
                }
                nodes::insert(tx, &row).await.map_err(|error| taken(error, &row.name))?;
                trust_keys::insert(tx, &key_row).await?;
                let changes = serde_json::json!({
                    "key": key, "kind": row.kind, "labels": row.labels, "site": row.site,
                });
                audit::record(tx, act.named(&row.name).changes(changes)).await?;
                told(tx, &row, "node.added", &actor, key, now).await
            })
        })
        .await?;
    app.presence.enrolled(node, who.org, &kind, ChosenThresholds::default());
    added(app, who, node, key).await
}

/// Gives such a node another key; the one before is void at once. What the node holds stays its own.
pub(super) async fn change_key(app: &Shared, who: &Principal, node: &str) -> Result<AddedNode, Fault> {
    is_on(app)?;
    let known = app.nodes.find_named(&app.store, who.org, node).await?;
    let (now, node) = (app.clock.now(), known.id);
    let key: TrustKeyId = app.entropy.id(now);
    let key_row = key_row(app, who, key, node, now);
    let (org, actor) = (who.org, who.name.clone());
    let act = Act::by(who, now)?.on("node", node);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let unknown = || refuse(ProblemCode::UnknownNode, "There is no such node.");
                let row = nodes::get(tx, org, node).await?.ok_or_else(unknown)?;
                if !row.key_fingerprint.starts_with("key:") {
                    let detail = "The node has an agent with a certificate, which needs no such key.";
                    return Err(refuse(ProblemCode::Conflict, detail));
                }
                if row.revoked_at.is_some() {
                    let detail = "The node was revoked; `sortie invite create --replace` lets an agent take its place.";
                    return Err(refuse(ProblemCode::NodeRevoked, detail));
                }
                trust_keys::insert(tx, &key_row).await?;
                if !nodes::set_key(tx, node, &row.key_fingerprint, &fingerprint(key)).await? {
                    return Err(refuse(ProblemCode::Conflict, "The node changed meanwhile; look again."));
                }
                audit::record(tx, act.named(&row.name).changes(serde_json::json!({ "key": key }))).await?;
                told(tx, &row, "node.key_changed", &actor, key, now).await
            })
        })
        .await?;
    app.nodes.forget(node);
    added(app, who, node, key).await
}

fn is_on(app: &Shared) -> Result<(), Fault> {
    if app.settings.trust_api {
        return Ok(());
    }
    let detail = "Nodes without a certificate need the trust API; set `trust_api = true` in hub.toml. A machine that \
                  can run an agent needs an invite: `sortie invite create`.";
    Err(refuse(ProblemCode::TrustApiOff, detail))
}

fn key_row(app: &Shared, who: &Principal, id: TrustKeyId, node: NodeId, now: Millis) -> TrustKeyRow {
    let secret_hash = app.keys.secret_of("trust_key", id).hash();
    TrustKeyRow { id, node, secret_hash, created_by: who.name.to_string(), created_at: now }
}

fn taken(error: StoreError, name: &str) -> Fault {
    if error.is_taken(nodes::NAME_TAKEN) {
        let detail = format!(
            "There is a node `{name}` already; `sortie node key {name}` gives it another key, unless it was revoked: \
             then it comes back only as an agent, with `sortie invite create --node {name} --replace`."
        );
        return refuse_at(ProblemCode::NodeExists, "/name", detail);
    }
    error.into()
}

async fn told(
    tx: &mut Tx,
    row: &NodeRow,
    kind: &'static str,
    actor: &str,
    key: TrustKeyId,
    now: Millis,
) -> Result<(), Fault> {
    let data = serde_json::json!({ "name": row.name, "key": key });
    Ok(events::record(tx, Record::new(row.org, now, kind, actor).node(row.id).data(&data)).await?)
}

async fn added(app: &Shared, who: &Principal, node: NodeId, key: TrustKeyId) -> Result<AddedNode, Fault> {
    let secret = app.keys.secret_of("trust_key", key);
    Ok(AddedNode {
        node: show(app, who, &node.to_string()).await?,
        key: format!("{KEY_PREFIX}{key}.{}", secret.expose()),
    })
}
