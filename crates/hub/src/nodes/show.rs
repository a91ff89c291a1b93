//! A node as people see it.

use sortie_rules::limits::GUESTS_SHOWN_MAX;
use sortie_store::fields::Holder;
use sortie_store::nodes::{self, NodeRow};
use sortie_wire::nodes::{Node, NodeKeys};
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::desired::policy_unusable;
use crate::fault::{Fault, refuse};
use crate::people::Principal;
use crate::post_steps::fields_of;
use crate::refusals::refused_by;

/// One node, by name or id.
pub(crate) async fn show(app: &App, who: &Principal, node: &str) -> Result<Node, Fault> {
    let (org, id) = (who.org, app.nodes.find_named(&app.store, who.org, node).await?.id);
    let (row, said) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let fields = fields_of(tx, org, &Holder::Node(id.to_string())).await?;
                let refused = refused_by(tx, id).await?;
                let guests = nodes::guests(tx, org, id, GUESTS_SHOWN_MAX).await?;
                let policy = policy_unusable(tx, id).await?;
                Ok::<_, Fault>((nodes::get(tx, org, id).await?, (fields, refused, guests, policy)))
            })
        })
        .await?;
    let (fields, refused_deliveries, guests, policy_unusable) = said;
    let node = row.map(|row| shown(app, row)).ok_or_else(|| refuse(ProblemCode::UnknownNode, "There is no such node."));
    Ok(Node { fields, refused_deliveries, guests, policy_unusable, ..node? })
}

/// A row as people see it; when the node was last heard is known in memory before it is written.
pub(crate) fn shown(app: &App, row: NodeRow) -> Node {
    let heard_now = app.waiting.is_held(row.id).then(|| app.clock.now());
    let clock = app.nodes.clock_of(row.id).or(row.clock.zip(row.clock_skew_ms));
    let heard_at = heard_now.or_else(|| app.presence.heard_at(row.id)).max(row.heard_at);
    Node {
        id: row.id,
        name: row.name,
        site: row.site,
        host_revoked: row.host.as_ref().is_some_and(|host| host.is_revoked),
        host: row.host.map(|host| host.name),
        guests: Vec::new(),
        kind: row.kind,
        labels: row.labels,
        presence: row.presence,
        presence_at: row.presence_at,
        heard_at,
        stale_after: row.stale_after,
        down_after: row.down_after,
        enrolled_at: row.enrolled_at,
        certificate_until: row.certificate_until,
        proof: row.proof,
        clock: clock.map(|(said, _)| said),
        clock_skew_ms: clock.map(|(_, skew_ms)| skew_ms),
        standing: row.standing,
        quarantined_at: row.quarantined_at,
        keys: row.keys_version.map(|version| NodeKeys { version, newest: app.ring.held().ring().version }),
        key_fingerprint: row.key_fingerprint,
        revoked_at: row.revoked_at,
        fields: Vec::new(),
        refused_deliveries: Vec::new(),
        policy_unusable: None,
        facts: row.facts.as_deref().and_then(|facts| serde_json::from_str(facts).ok()),
    }
}
