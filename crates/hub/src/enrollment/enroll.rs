//! Lets an agent in: asks the rules, gives the key a certificate.

use std::sync::Arc;

use sortie_rules::enrollment::{Admission, Invite, Refusal, Standing, admit};
use sortie_rules::ids::{InviteId, NodeId};
use sortie_rules::limits::NODE_CERTIFICATE_LIFE;
use sortie_rules::liveness::{ChosenThresholds, Presence};
use sortie_rules::time::Millis;
use sortie_store::Tx;
use sortie_store::invites::{self, InviteRow};
use sortie_store::node_keys;
use sortie_store::nodes::{self, NodeRow};
use sortie_store::refusals;
use sortie_wire::enrollment::{Enroll, Enrolled, Facts};
use sortie_wire::problem::ProblemCode;

use super::holder::unknown_invite;
use crate::app::Shared;
use crate::audit::{self, Act, Asking};
use crate::desired;
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::identity::NodeKey;
use crate::nodes::hosts::{self, NotThere};
use crate::tasks::abandon_held;

/// Enrols the holder of an invite. The same key with the same invite gets the same enrolment again. `chain` is
/// that of the key which will sign the answer.
pub(crate) async fn enroll(
    app: &Shared,
    asking: Arc<Asking>,
    id: InviteId,
    request: Enroll,
    chain: &str,
) -> Result<Enrolled, Fault> {
    let key = read_key(&request.certificate_request)?;
    check_facts(&request.facts)?;
    let now = app.clock.now();
    let fresh: NodeId = app.entropy.id(now);
    let (fingerprint, allowed) = (key.fingerprint(), app.settings.node_names.clone());
    let facts = serde_json::to_string(&request.facts).unwrap_or_default();
    let types = app.types.load_full();
    let held = app.ring.held();
    let (keys_version, issuer) = (held.ring().version, held.issuer().fingerprint());
    let (node, name, admission, org, kind, chosen) = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                // Whoever came with the same invite a moment before is written by then.
                invites::hold(tx, id).await?;
                let row = invites::get_any_org(tx, id).await?.ok_or_else(unknown_invite)?;
                if !allowed.is_empty() && !allowed.contains(&row.node_name) {
                    let detail = "This hub's setting `node_names` does not list the invite's name any more.";
                    return Err(refuse(ProblemCode::Forbidden, detail));
                }
                let there = nodes::get_by_name(tx, row.org, &row.node_name).await?;
                let stands = there.as_ref().map(standing);
                let chosen = there.as_ref().map_or_else(ChosenThresholds::default, |there| ChosenThresholds {
                    stale_after: there.stale_after,
                    down_after: there.down_after,
                });
                let kind = there.as_ref().map_or_else(|| row.kind.clone(), |there| there.kind.clone());
                let admission = admit(&asked(&row), &fingerprint, stands, now).map_err(|why| refused(&row, why))?;
                let site = there.as_ref().map_or_else(|| row.site.clone(), |there| there.site.clone());
                let node = write(tx, &row, there, admission, &fingerprint, fresh, now).await?;
                if admission != Admission::Again {
                    desired::enter(tx, row.org, node, site.as_deref(), now).await?;
                }
                if admission != Admission::Again {
                    let act = Act::by_invite(&asking, row.org, (row.id, &row.created_by), now);
                    let changes =
                        serde_json::json!({ "key": fingerprint, "replaced": admission == Admission::Replace });
                    audit::record(tx, act.on("node", node).named(&row.node_name).changes(changes)).await?;
                }
                if admission == Admission::Replace {
                    // A new enrolment begins a new line of deliveries: what was handed out on the old one
                    // belongs to an agent that is no more.
                    abandon_held(tx, &types, node, now).await?;
                    refusals::forget(tx, node).await?;
                }
                nodes::set_facts(tx, node, &facts).await?;
                node_keys::put(tx, node, keys_version, &issuer).await?;
                Ok::<_, Fault>((node, row.node_name, admission, row.org, kind, chosen))
            })
        })
        .await?;
    if admission != Admission::Again {
        app.nodes.forget(node);
        app.desired.generations.forget(node);
        app.enforcements.changed(node);
        app.waiting.forget(node);
        app.presence.enrolled(node, org, &kind, chosen);
    }
    tracing::info!(%node, name = %name, ?admission, "A node enrolled");
    Ok(Enrolled {
        node,
        name,
        certificate: held.issuer().vouch_for_node(&key, node, &app.entropy, now),
        keys: held.set().clone(),
        hub_id: app.keys.hub_id().to_owned(),
        chain: chain.to_owned(),
        now,
    })
}

/// Reads the key out of a certificate request.
pub(crate) fn read_key(request: &str) -> Result<NodeKey, Fault> {
    NodeKey::from_request(request)
        .map_err(|error| refuse_at(ProblemCode::FieldInvalid, "/certificate_request", format!("{error}.")))
}

/// Facts are shown to people: they must be short.
pub(crate) fn check_facts(facts: &Facts) -> Result<(), Fault> {
    let texts = [&facts.version, &facts.os, &facts.arch, &facts.hostname];
    let long = texts.into_iter().chain(&facts.types).any(|text| text.len() > 255) || facts.types.len() > 1000;
    if long {
        return Err(refuse_at(
            ProblemCode::FieldInvalid,
            "/facts",
            "A fact has at most 255 bytes, and at most 1,000 types are listed.",
        ));
    }
    Ok(())
}

fn asked(row: &InviteRow) -> Invite {
    Invite {
        expires_at: row.expires_at,
        revoked: row.revoked_at.is_some(),
        used_by_key: row.used_by_key.clone(),
        replace: row.replace,
    }
}

fn standing(node: &NodeRow) -> Standing<'_> {
    Standing { key: &node.key_fingerprint, revoked: node.revoked_at.is_some() }
}

fn refused(row: &InviteRow, why: Refusal) -> Fault {
    let code = match why {
        Refusal::Expired => ProblemCode::InviteExpired,
        Refusal::Revoked => ProblemCode::InviteRevoked,
        Refusal::Used | Refusal::Void => ProblemCode::InviteUsed,
        Refusal::NodeExists => ProblemCode::NodeExists,
    };
    refuse(code, format!("Node `{}`: {why}.", row.node_name))
}

/// What was said of the host when the invite was made does not hold any more.
fn not_there(why: NotThere) -> Fault {
    match why {
        NotThere::Unfit(why) => refuse(ProblemCode::Forbidden, format!("{why} Ask for a new invite.")),
        NotThere::Store(error) => error.into(),
    }
}

async fn write(
    tx: &mut Tx,
    row: &InviteRow,
    there: Option<NodeRow>,
    admission: Admission,
    fingerprint: &str,
    fresh: NodeId,
    now: Millis,
) -> Result<NodeId, Fault> {
    let certificate_until = now + NODE_CERTIFICATE_LIFE;
    let node = match (admission, there) {
        (Admission::Again, there) => {
            let node = row.node.or(there.map(|node| node.id));
            return node.ok_or_else(|| Fault::Broken("an invite was used by no node".to_owned()));
        }
        (Admission::Replace, Some(node)) => {
            nodes::replace_key(tx, node.id, fingerprint, certificate_until, now).await?;
            node.id
        }
        (Admission::New | Admission::Replace, _) => {
            let host = match &row.host {
                Some(host) => Some(hosts::find(tx, row.org, None, host).await.map_err(not_there)?),
                None => None,
            };
            let node = NodeRow {
                id: fresh,
                org: row.org,
                name: row.node_name.clone(),
                site: row.site.clone(),
                host,
                kind: row.kind.clone(),
                labels: row.labels.clone(),
                key_fingerprint: fingerprint.to_owned(),
                certificate_until,
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
            nodes::insert(tx, &node).await.map_err(|error| match error {
                // Another invite for this name was used a moment before.
                error if error.is_taken(nodes::NAME_TAKEN) => refused(row, Refusal::NodeExists),
                error => error.into(),
            })?;
            fresh
        }
    };
    invites::use_up(tx, row.id, fingerprint, node, now).await?;
    let data = serde_json::json!({ "invite": row.id, "key": fingerprint, "replaced": admission == Admission::Replace });
    events::record(tx, Record::new(row.org, now, "node.enrolled", &row.node_name).node(node).data(&data)).await?;
    Ok(node)
}
