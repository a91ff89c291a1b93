//! What several stories of resources share that the hub enforces at the edge.

use std::path::Path;

use serde_json::{Value, json};
use sortie_client::people::Hub;
use sortie_rules::desired::ConditionStatus;
use sortie_wire::desired::EnforcedResource;
use sortie_wire::secrets::WriteSecret;
use stories::{Edge, HubPlan, until};

/// The zone of most stories.
pub(crate) const ZONE: &str = "00000000000000000000000000000007";
/// Another one.
pub(crate) const OTHER_ZONE: &str = "00000000000000000000000000000008";
/// The token that may change the rules of [`ZONE`].
pub(crate) const TOKEN: &str = "token-of-the-zone-7";
/// The resource of most stories.
pub(crate) const RULES: &str = "geo.rules/main";

/// A hub with the pack of boxes, which looks at this edge about every second.
pub(crate) fn at_edge<'s>(plan: HubPlan<'s>, edge: &Edge) -> HubPlan<'s> {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/managed-box");
    plan.setting("packs", format!("[{pack:?}]")).setting("edge.url", edge.url()).setting("edge.look_every_s", 1)
}

/// An edge with a zone in which somebody else has a rule.
pub(crate) async fn edge() -> Edge {
    let edge = Edge::start().await;
    edge.token(ZONE, TOKEN);
    edge.edit(ZONE, |rules| rules.push(theirs()));
    edge
}

/// Somebody else's rule.
pub(crate) fn theirs() -> Value {
    json!({ "id": "theirs", "ref": "by-hand", "expression": "true", "action": "skip", "description": "not yours" })
}

/// The secret with the token.
pub(crate) async fn set_token(people: &Hub, token: &str) {
    people.set_secret("edge", &WriteSecret { value: token.to_owned() }).await.expect("an administrator may");
}

/// Geo rules that let these countries in.
pub(crate) fn geo(zone: &str, countries: &[&str]) -> Value {
    json!({ "spec": {
        "zone": zone, "hostnames": ["box.example.org"], "mode": "allow", "countries": countries,
        "token": { "$secret": "edge" },
    } })
}

/// A state with one resource of geo rules.
pub(crate) fn state(rules: &Value) -> Value {
    json!({ "resources": { RULES: rules } })
}

/// The expression of [`geo`] at the edge.
pub(crate) fn expression(countries: &[&str]) -> String {
    let quoted: Vec<String> = countries.iter().map(|country| format!("\"{country}\"")).collect();
    format!("(lower(http.host) in {{\"box.example.org\"}} and not ip.src.country in {{{}}})", quoted.join(" "))
}

/// The rules of a zone that are the hub's.
pub(crate) fn ours(edge: &Edge, zone: &str) -> Vec<Value> {
    edge.rules(zone)
        .into_iter()
        .filter(|rule| rule["ref"].as_str().is_some_and(|mark| mark.starts_with("sortie-")))
        .collect()
}

/// Waits until the hub's only rule in a zone lets these countries in.
pub(crate) async fn lets_in(edge: &Edge, zone: &str, countries: &[&str]) -> Value {
    until(&format!("{countries:?} are let in"), async || {
        let ours = ours(edge, zone);
        let [rule] = ours.as_slice() else { return None };
        let is_so = rule["expression"] == expression(countries) && rule["action"] == "block" && rule["enabled"] == true;
        is_so.then(|| rule.clone())
    })
    .await
}

/// Waits until the hub has no rule in a zone.
pub(crate) async fn lets_all_in(edge: &Edge, zone: &str) {
    until("no rule of the hub's is there", async || ours(edge, zone).is_empty().then_some(())).await;
}

/// What the hub says of the resources of a node that it enforces.
pub(crate) async fn enforced(people: &Hub, node: &str) -> Vec<EnforcedResource> {
    people.node_desired(node).await.expect("the node is there").enforced
}

/// Waits until the only enforced resource of a node stands so.
pub(crate) async fn is(people: &Hub, node: &str, status: ConditionStatus, reason: Option<&str>) -> EnforcedResource {
    until(&format!("it is {} for {reason:?}", status.as_str()), async || {
        let all = enforced(people, node).await;
        let [one] = all.as_slice() else { return None };
        let is_so = one.condition.status == status && one.condition.reason.as_deref() == reason;
        is_so.then(|| one.clone())
    })
    .await
}

/// Waits until the hub enforces nothing of a node any more.
pub(crate) async fn is_forgotten(people: &Hub, node: &str) {
    until("nothing is enforced", async || enforced(people, node).await.is_empty().then_some(())).await;
}
