//! What never leaves the hub, and what only one node can open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::{Value, json};
use sortie_rules::desired::Standing;
use sortie_wire::secrets::WriteSecret;
use stories::{HubPlan, Scene, on_both_engines, on_sqlite};

use crate::help::{holds, keeper, publish, stands};

on_both_engines!(a_secret_reaches_its_node_and_is_seen_nowhere_else);
on_sqlite!(no_byte_of_a_hub_only_field_is_sent_to_a_node,);

const SECRET: &str = "hunter22-and-a-half";
const TOKEN: &str = "token-of-the-zone-7";

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

fn files_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
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
    let node = hub.hand_node("north").await;
    let spec = json!({"name": "example.org", "token": TOKEN, "deep": [{"name": "a", "token": TOKEN}]});
    publish(&people, "org", json!({"resources": {"dns.zone/main": {"spec": spec}}})).await;
    let people_s = serde_json::to_string(&people.node_desired("north").await.unwrap()).unwrap();
    assert!(people_s.contains(TOKEN), "people see it: {people_s}");
    // Every answer that an agent can get.
    let seal_to = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([9_u8; 32]);
    let mut heard = 0;
    for path in [
        format!("/desired?after=0&seal_to={seal_to}"),
        "/operators".to_owned(),
        "/tasks/wait?room=1&ack=0&wait_s=0&boot=01980c5e-7d1a-7c3e-9b7e-0123456789ab&seq=1".to_owned(),
    ] {
        let answer = node.request(Method::GET, &path).send().await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let text = answer.body.clone();
        assert!(!text.contains(TOKEN), "{path}");
        let value: Value = serde_json::from_str(&text).unwrap();
        for envelope in [&value, &value["state"]] {
            if let Some(payload) = envelope["payload"].as_str() {
                let payload = String::from_utf8(BASE64.decode(payload).unwrap()).unwrap();
                assert!(!payload.contains(TOKEN), "{path}: {payload}");
                heard += usize::from(payload.contains("example.org"));
            }
        }
    }
    assert_eq!(heard, 1, "the rest of the zone is sent");
}
