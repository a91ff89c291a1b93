//! What never leaves the hub, and what only one node can open.

use serde_json::json;
use sortie_rules::desired::Standing;
use sortie_wire::secrets::WriteSecret;
use stories::{HubPlan, Scene, on_both_engines, on_sqlite};

use crate::at_edge::{RULES, TOKEN, ZONE, at_edge, edge, geo, lets_in, set_token};
use crate::help::{files_below, holds, keeper, publish, stands};
use crate::sent::Sent;

on_both_engines!(a_secret_reaches_its_node_and_is_seen_nowhere_else);
on_sqlite!(no_byte_of_a_hub_only_field_is_sent_to_a_node, no_byte_of_what_the_hub_enforces_is_sent_to_a_node,);

const SECRET: &str = "hunter22-and-a-half";

async fn a_secret_reaches_its_node_and_is_seen_nowhere_else(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, agent) = keeper(&hub, "north").await;
    let set = |value: &str| WriteSecret { value: value.to_owned() };
    people.set_secret("wifi-key", &set(SECRET)).await.unwrap();
    let key = site.files().join("wifi.key");
    let spec = json!({"path": key, "content": {"$secret": "wifi-key"}, "mode": "0600"});
    let state = json!({"resources": {"file/wifi": { "spec": spec }}});
    publish(&people, "org", state).await;
    let desired = stands(&people, "north", Standing::Converged).await;
    holds(&key, SECRET).await;
    // The agent opens it again after a start with the hub away; what it keeps is sealed.
    std::fs::write(&key, "drifted").unwrap();
    holds(&key, SECRET).await;
    let spec = &desired.state["resources"]["file/wifi"]["spec"]["content"];
    assert_eq!(spec, &json!({"$secret": "wifi-key"}));
    for told in [hub.log(), site.log(), serde_json::to_string(&desired).unwrap(), format!("{:?}", hub.events("").await)]
    {
        assert!(!told.contains(SECRET), "{told}");
    }
    agent.stop().await;
    for file in files_below(&site.data()).into_iter().chain(files_below(&hub.data())) {
        let bytes = std::fs::read(&file).unwrap_or_default();
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "{}", file.display());
    }
    // Another value reaches the node by itself.
    let _agent = site.start();
    people.set_secret("wifi-key", &set("another-value")).await.unwrap();
    holds(&key, "another-value").await;
    let refused = people.remove_secret("wifi-key").await.unwrap_err();
    assert!(refused.problem().is_some_and(|problem| problem.status == 409), "{refused}");
}

/// A hub with a kind whose zone token stays at the hub.
fn with_zone(plan: HubPlan<'_>) -> HubPlan<'_> {
    let pack = plan.data().join("packs/zone");
    std::fs::create_dir_all(pack.join("schemas")).unwrap();
    std::fs::write(
        pack.join("pack.toml"),
        "name = \"zone\"\n\n[[resource_kinds]]\nname = \"dns.zone\"\nsummary = \"A zone.\"\nschema = \"zone.json\"\n\
         hub_only = [\"/token\", \"/deep/*/token\"]\n",
    )
    .unwrap();
    let schema = json!({"properties": {
        "name": {"type": "string"}, "token": {"type": "string"},
        "deep": {"type": "array", "items": {"properties": {"token": {"type": "string"}, "name": {}}}},
    }});
    std::fs::write(pack.join("schemas/zone.json"), schema.to_string()).unwrap();
    plan
}

async fn no_byte_of_a_hub_only_field_is_sent_to_a_node(scene: Scene) {
    let hub = with_zone(scene.hub()).start().await;
    let people = hub.people();
    let node = Sent::to_new(&hub, "north").await;
    let spec = json!({"name": "example.org", "token": TOKEN, "deep": [{"name": "a", "token": TOKEN}]});
    publish(&people, "org", json!({"resources": {"dns.zone/main": {"spec": spec}}})).await;
    let people_s = serde_json::to_string(&people.node_desired("north").await.unwrap()).unwrap();
    assert!(people_s.contains(TOKEN), "people see it: {people_s}");
    let sent = node.by_every_route(&hub).await;
    for (route, said) in &sent {
        assert!(!said.contains(TOKEN), "{route}: {said}");
    }
    let told = |name: &str| sent.iter().filter(|(_, said)| said.contains(name)).count();
    assert_eq!(told("example.org"), 1, "the rest of the zone is sent");
}

async fn no_byte_of_what_the_hub_enforces_is_sent_to_a_node(scene: Scene) {
    let edge = edge().await;
    let hub = at_edge(scene.hub(), &edge).start().await;
    let people = hub.people();
    let node = Sent::to_new(&hub, "box").await;
    set_token(&people, TOKEN).await;
    let motd = json!({"spec": {"path": "/etc/motd", "content": {"$secret": "edge"}}});
    publish(&people, "org", json!({"resources": {RULES: geo(ZONE, &["HU"]), "file/motd": motd}})).await;
    lets_in(&edge, ZONE, &["HU"]).await;
    let sent = node.by_every_route(&hub).await;
    for (route, said) in &sent {
        for kept_back in [TOKEN, "geo.rules", ZONE, "box.example.org", "enforce"] {
            assert!(!said.contains(kept_back), "{route} sends {kept_back}: {said}");
        }
    }
    let told = |name: &str| sent.iter().filter(|(_, said)| said.contains(name)).count();
    assert_eq!((told("file/motd"), told("$sealed")), (1, 1), "what is for the node is sent, sealed");
    // The same secret is for the hub alone where only the hub uses it.
    let node = Sent::to_new(&hub, "box-2").await;
    publish(&people, "org", json!({"resources": {RULES: geo(ZONE, &["HU"])}})).await;
    let sent = node.by_every_route(&hub).await;
    assert!(sent.iter().all(|(_, said)| !said.contains("$sealed") && !said.contains("$secret")));
}
