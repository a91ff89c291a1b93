//! `sortie node` and `sortie site`: what is meant for nodes, and what is seen of them.

use serde_json::{Value, json};
use stories::{RunningHub, Scene, on_sqlite, until};

use crate::help::invite;

on_sqlite!(
    nodes_are_listed_by_what_they_are,
    a_node_is_shown_by_name_and_by_id,
    what_is_meant_for_a_node_can_be_changed,
    a_node_is_shut_out_by_name,
    a_node_that_is_not_quarantined_is_not_readmitted,
    sites_are_made_named_listed_and_removed,
    a_site_that_is_made_by_being_named_is_told,
);

async fn nodes_are_listed_by_what_they_are(scene: Scene) {
    let hub = scene.hub().start().await;
    assert!(
        hub.sortie(&["node", "list"]).well().stderr.contains("sortie invite create"),
        "an empty list says how to go on"
    );
    for (name, site, kind, ring) in
        [("c", "homes", "guest", "first"), ("a", "homes", "host", "first"), ("b", "racks", "host", "second")]
    {
        let fields = json!({ "node": name, "site": site, "kind": kind, "labels": { "ring": ring, "x": "y" } });
        hub.hand_node_with(&invite(&hub, fields).await).await;
    }
    for (words, expected) in [
        (&[][..], &["a", "b", "c"][..]),
        (&["--site", "homes"], &["a", "c"]),
        (&["--kind", "host"], &["a", "b"]),
        (&["--label", "ring=first"], &["a", "c"]),
        (&["--label", "ring=first", "--label", "x=y", "--kind", "guest"], &["c"]),
        (&["--label", "ring=third"], &[]),
        (&["--presence", "new"], &["a", "b", "c"]),
        (&["--presence", "down"], &[]),
        (&["--limit", "2"], &["a", "b"]),
        (&["--all"], &["a", "b", "c"]),
    ] {
        assert_eq!(names(&hub, words), expected, "{words:?}");
    }
    let table = hub.sortie(&["node", "list"]).well().stdout;
    let line = table.lines().find(|line| line.starts_with("a ")).expect("it is listed");
    assert!(["homes", "host", "ring=first", "never"].iter().all(|word| line.contains(word)), "{table}");
    hub.sortie(&["node", "list", "--site", "nowhere"]).failed(0, &["no such nodes"]);
    hub.sortie(&["node", "list", "--presence", "asleep"]).failed(2, &["new, online, stale or down"]);
}

async fn a_node_is_shown_by_name_and_by_id(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let people = hub.people();
    let node = until("the agent is heard", async || {
        let node = people.node("north").await.unwrap();
        (node.presence.as_str() == "online").then_some(node)
    })
    .await;
    let shown = hub.sortie(&["node", "show", "north"]).well().stdout;
    for word in ["north", &node.id.to_string(), "online", "sys.info", &node.key_fingerprint, "certificate"] {
        assert!(shown.contains(word), "`{word}` is not shown:\n{shown}");
    }
    let as_json = hub.sortie_json(&["node", "show", &node.id.to_string()]);
    assert_eq!((&as_json["name"], &as_json["facts"]["os"]), (&json!("north"), &json!("linux")));
    hub.sortie(&["node", "show", "south"]).failed(3, &["sortie node list", "unknown_node (404)"]);
}

async fn what_is_meant_for_a_node_can_be_changed(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.hand_node_with(&invite(&hub, json!({ "node": "north", "labels": { "trial": "yes" } })).await).await;
    let set = |words: &[&str]| hub.sortie_json(&[&["node", "set", "north"], words].concat());
    hub.sortie(&["site", "put", "homes"]).well();
    let changed = set(&["--site", "homes", "--kind", "guest", "--label", "ring=2", "--no-label", "trial"]);
    assert_eq!((&changed["site"], &changed["kind"]), (&json!("homes"), &json!("guest")));
    assert_eq!(changed["labels"], json!({ "ring": "2" }));
    let patient = set(&["--stale-after", "10m", "--down-after", "1h30m"]);
    assert_eq!((&patient["stale_after"], &patient["down_after"]), (&json!(600_000), &json!(5_400_000)));
    let back = set(&["--stale-after", "0", "--down-after", "0", "--site", ""]);
    assert!(["stale_after", "down_after", "site"].iter().all(|field| back.get(*field).is_none()), "{back}");
    assert_eq!(back, hub.sortie_json(&["node", "show", "north"]));
    let before = hub.events("node").await.len();
    hub.sortie(&["node", "set", "north"]).failed(2, &["nothing to change", "--label"]);
    hub.sortie(&["node", "set", "north", "--label", "Ring=2"]).failed(3, &["/labels", "field_invalid (422)"]);
    hub.sortie(&["node", "set", "south", "--kind", "x"]).failed(3, &["unknown_node (404)"]);
    assert_eq!(hub.events("node").await.len(), before);
    assert_eq!(hub.sortie_json(&["node", "show", "north"]), back);
}

async fn a_node_is_shut_out_by_name(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let told = hub.sortie(&["node", "revoke", "north"]).well();
    assert!(told.stdout.is_empty() && told.stderr.contains("`north` is shut out"), "{told:?}");
    assert!(told.stderr.contains("invite create --node north --replace"), "{told:?}");
    assert!(node.try_wait(&node.next_wait(1, 0)).await.is_err());
    assert!(hub.sortie(&["node", "list"]).well().stdout.contains("revoked"));
    assert!(hub.sortie(&["node", "show", "north"]).well().stdout.contains("revoked"));
    assert!(hub.sortie_json(&["node", "revoke", "north"])["revoked_at"].is_i64(), "twice is once");
    let refused = hub.sortie(&["task", "submit", "sys.info", "--node", "north"]);
    refused.failed(3, &["node_revoked (409)"]);
    hub.sortie(&["node", "revoke", "south"]).failed(3, &["unknown_node (404)"]);
}

async fn a_node_that_is_not_quarantined_is_not_readmitted(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    hub.sortie(&["node", "readmit", "north"]).failed(2, &["is not quarantined", "nothing was changed"]);
    hub.people().revoke_node("north").await.unwrap();
    let words = ["was revoked", "--replace", "node_revoked (409)"];
    hub.sortie(&["node", "readmit", "north"]).failed(3, &words);
    hub.sortie(&["node", "readmit", &node.id.to_string()]).failed(3, &words);
    assert!(hub.events("node.readmitted").await.is_empty());
}

async fn sites_are_made_named_listed_and_removed(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.sortie(&["site", "list"]).failed(0, &["There are no sites yet"]);
    hub.sortie(&["site", "put", "racks"]).well();
    let put = hub.sortie_json(&["site", "put", "homes", "--name", "Customers' homes"]);
    assert_eq!((&put["key"], &put["name"]), (&json!("homes"), &json!("Customers' homes")));
    hub.sortie(&["site", "put", "homes", "--name", "Häuser"]).well();
    let listed = hub.sortie_json(&["site", "list"]);
    let named = |site: &Value| (site["key"].as_str().unwrap().to_owned(), site["name"].as_str().unwrap().to_owned());
    let sites: Vec<_> = listed["items"].as_array().unwrap().iter().map(named).collect();
    assert_eq!(sites, [("homes".into(), "Häuser".into()), ("racks".into(), "racks".into())]);
    assert!(hub.sortie(&["site", "list"]).well().stdout.contains("Häuser"));
    hub.sortie(&["site", "put", "Homes"]).failed(3, &["field_invalid (422)"]);
    hub.sortie(&["site", "put", "homes", "--name", ""]).failed(3, &["/name", "field_invalid (422)"]);
    hub.sortie(&["site", "remove", "homse"]).failed(3, &["did you mean `homes`?", "unknown_site (404)"]);
    assert_eq!(hub.sortie_json(&["site", "remove", "homes"])["name"], json!("Häuser"));
    assert!(!hub.sortie(&["site", "list"]).well().stdout.contains("homes"));
}

async fn a_site_that_is_made_by_being_named_is_told(scene: Scene) {
    let hub = scene.hub().setting("trust_api", true).start().await;
    hub.hand_node("north").await;
    let is_told = |words: &[&str], site: &str| {
        let told = hub.sortie(words).well().stderr;
        let is_new = told.contains(&format!("The site `{site}` is new."));
        assert_eq!(is_new, told.contains(&format!("sortie site remove {site}")), "{told}");
        is_new
    };
    let set = ["node", "set", "north", "--site", "budapset"];
    assert_eq!([is_told(&set, "budapset"), is_told(&set, "budapset")], [true, false], "it is new once");
    assert!(!is_told(&["node", "set", "north", "--site", ""], ""));
    hub.sortie(&["site", "remove", "budapset"]).well();
    assert!(is_told(&["invite", "create", "--node", "south", "--site", "hoems"], "hoems"));
    assert!(is_told(&["node", "add", "trust", "--site", "rakcs"], "rakcs"));
    hub.sortie(&["site", "remove", "rakcs"]).failed(3, &["1 node is at it", "site_in_use (409)"]);
}

/// The names of the nodes that `sortie node list` gives.
fn names(hub: &RunningHub<'_>, words: &[&str]) -> Vec<String> {
    let listed = hub.sortie_json(&[&["node", "list"], words].concat());
    listed["items"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}
