//! What a site refuses, its own people can list.

use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use stories::{Program, Scene, on_sqlite};

on_sqlite!(what_was_refused_is_listed_at_the_site_while_the_agent_runs_and_afterwards);

async fn what_was_refused_is_listed_at_the_site_while_the_agent_runs_and_afterwards(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    site.set_policy("allow = [\"sleep\"]\n");
    let agent = site.start();
    let folder = site.data().display().to_string();
    let refused = |words: &[&str]| {
        let all: Vec<&str> = ["agent", "refused", "--data", &folder].iter().chain(words).copied().collect();
        Program::Sortie.run(all).well().stdout
    };
    assert_eq!(refused(&[]), "");
    let first = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(first).await.summary.status, Status::Rejected);
    let second = hub.submit("north", "file.checksum", json!({ "path": "/x" })).await;
    hub.ended(second).await;
    let list = refused(&[]);
    assert!(
        list.contains("sys.info  type_not_allowed: the policy of this site") && list.contains(&first.to_string()),
        "{list}"
    );
    assert_eq!(list.lines().count(), 2);
    assert!(refused(&["--limit", "1"]).contains("file.checksum"));
    agent.stop().await;
    let last: Value = serde_json::from_str(refused(&["--json"]).lines().last().expect("there are two")).expect("JSON");
    assert_eq!((&last["type"], &last["code"]), (&json!("file.checksum"), &json!("type_not_allowed")));
    Program::Sortie.run(["agent", "refused", "--data", "/nowhere"]).failed(2, &["/nowhere"]);
}
