//! A configuration that is made of data: what holds for all, for a site and for one box, merged and written as a file.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::desired::{ConditionStatus, Standing};
use sortie_wire::problem::ProblemCode::StateInvalid;
use sortie_wire::secrets::WriteSecret;
use stories::{RunningHub, Scene, on_both_engines, on_sqlite, until};

use crate::help::{condition, holds, keeper, publish, stands};

on_both_engines!(a_box_s_configuration_is_what_all_layers_say_of_it);
on_sqlite!(
    what_a_format_cannot_say_is_refused_with_its_place,
    what_somebody_changed_in_a_file_of_data_comes_back_as_fields,
    a_secret_in_data_reaches_the_file_and_nobody_else,
);

const SECRET: &str = "hunter22 \"and\" a half";

async fn a_box_s_configuration_is_what_all_layers_say_of_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "box-7").await;
    let path = site.files().join("box.yaml");
    let data = json!({"port": 8080, "backup": {"hour": 2, "keep": 7}, "tunnel": {"on": true}, "peers": ["a", "b"]});
    let whole = json!({"path": path, "format": "yaml", "data": data});
    publish(&people, "org", json!({"resources": {"file/box": {"spec": whole}}})).await;
    let all = "backup:\n  hour: 2\n  keep: 7\npeers:\n  - \"a\"\n  - \"b\"\nport: 8080\ntunnel:\n  \"on\": true\n";
    holds(&path, all).await;
    // For this box another hour, other peers, and no tunnel.
    let own = json!({"data": {"backup": {"hour": 4}, "peers": ["c"], "tunnel": null, "name": "box-7"}});
    let own = json!({"resources": {"file/box": {"spec": own}}});
    publish(&people, "node:box-7", own.clone()).await;
    let one = "backup:\n  hour: 4\n  keep: 7\nname: \"box-7\"\npeers:\n  - \"c\"\nport: 8080\n";
    holds(&path, one).await;
    let desired = stands(&people, "box-7", Standing::Converged).await;
    // The same said in another order is the same file: nothing is written anew.
    let written = std::fs::metadata(&path).unwrap().modified().unwrap();
    publish(&people, "node:box-7", serde_json::from_str(&own.to_string()).unwrap()).await;
    stands(&people, "box-7", Standing::Converged).await;
    assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), written);
    assert_eq!(desired.state["resources"]["file/box"]["spec"]["data"]["backup"], json!({"hour": 4, "keep": 7}));
    // What changes is told by field.
    let toml = json!({"resources": {"file/box": {"spec": {"format": "toml", "data": {"backup": {"hour": 5}}}}}});
    publish(&people, "node:box-7", toml).await;
    let diff = hub.sortie(&["state", "diff", "node:box-7", "--from", "2", "--to", "3"]).well().stdout;
    assert!(diff.contains("/spec/data/backup/hour") && !diff.contains("keep"), "{diff}");
    holds(&path, "peers = [\"a\", \"b\"]\nport = 8080\n\n[backup]\nhour = 5\nkeep = 7\n\n[tunnel]\non = true\n").await;
}

async fn what_a_format_cannot_say_is_refused_with_its_place(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.hand_node("box-7").await;
    let spec = |format: &str, data: Value| json!({"path": "/etc/box", "format": format, "data": data});
    for (spec, at) in [
        (spec("toml", json!({"a/b": {"c": [1, null]}})), "/data/a~1b/c/1"),
        (spec("toml", json!([1])), "/data"),
        (spec("toml", json!({"much": u64::MAX})), "/data/much"),
        (spec("yaml", json!({ "k".repeat(2000): 1 })), &format!("/data/{}", "k".repeat(2000))),
        (spec("ini", json!({})), "/format"),
        (json!({"path": "/etc/box", "data": {}}), ""),
        (json!({"path": "/etc/box", "format": "json"}), ""),
        (json!({"path": "/etc/box", "format": "json", "data": {}, "content": "x"}), ""),
        (spec("json", json!({"a": {"$secret": 7}})), "/data/a"),
        (spec("json", json!({"a": {"$secret": "none"}})), "/data/a"),
    ] {
        let answer = published(&hub, json!({"resources": {"file/box": {"spec": spec}}})).await;
        let pointer = answer.problem().pointer.unwrap_or_default();
        assert_eq!(pointer, format!("/state/resources/file~1box/spec{at}"), "{spec}: {answer:?}");
        assert!((400..500).contains(&answer.status) && !answer.body.contains("18446744073709551615"), "{answer:?}");
    }
    // Indented it is more than a file may have, though the layer is not.
    let large = json!({"x": vec![vec![vec![1; 10]; 100]; 40]});
    let answer = published(&hub, json!({"resources": {"file/box": {"spec": spec("json", large)}}})).await;
    let problem = answer.is_problem(StateInvalid, Some("/state/resources/file~1box/spec/data"));
    assert!(problem.detail.contains("262144"), "{problem:?}");
}

async fn published(hub: &RunningHub<'_>, state: Value) -> stories::Answer {
    let body = json!({"state": state, "message": "as the story wants it"});
    hub.request(Method::POST, "/api/v1/desired/org/publish").json(&body).send().await
}

async fn what_somebody_changed_in_a_file_of_data_comes_back_as_fields(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "box-7").await;
    let path = site.files().join("box.yaml");
    let data = json!({"port": 8080, "backup": {"hour": 2, "keep": 7}});
    let told = json!({"spec": {"path": path, "format": "yaml", "data": data}, "drift": "report"});
    publish(&people, "org", json!({"resources": {"file/box": told}})).await;
    stands(&people, "box-7", Standing::Converged).await;
    std::fs::write(&path, "# by hand\nport: 81\nbackup: {hour: 2}\n").unwrap();
    stands(&people, "box-7", Standing::Drifted).await;
    let pulled = hub.sortie(&["state", "pull", "box-7"]).well();
    assert!(pulled.stdout.contains("port") && pulled.stdout.contains("keep"), "{pulled:?}");
    assert!(!pulled.stdout.contains("hour"), "what is the same is not taken over: {pulled:?}");
    hub.sortie(&["state", "publish", "node:box-7", "-m", "as it is there", "--yes", "--watch"]).well();
    holds(&path, "backup:\n  hour: 2\nport: 81\n").await;
    stands(&people, "box-7", Standing::Converged).await;
    // What is no data any more cannot be taken over, and the reason is said.
    std::fs::write(&path, "port: [81\n").unwrap();
    let desired = stands(&people, "box-7", Standing::Drifted).await;
    assert_eq!(condition(&desired, "file/box").0, ConditionStatus::Drifted);
    until("the reason is said", async || {
        let pulled = hub.sortie(&["state", "pull", "box-7"]).well();
        pulled.stderr.contains("file/box is not taken over: it is no YAML any more").then_some(())
    })
    .await;
    // Nor is a box believed that refers to a secret.
    std::fs::write(&path, "port: {$secret: wifi-key}\n").unwrap();
    until("it is refused", async || {
        let pulled = hub.sortie(&["state", "pull", "box-7"]).well();
        pulled.stderr.contains("refers to a secret").then_some(())
    })
    .await;
}

async fn a_secret_in_data_reaches_the_file_and_nobody_else(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "box-7").await;
    people.set_secret("backup", &WriteSecret { value: SECRET.to_owned() }).await.unwrap();
    for (format, written) in [
        ("json", "{\n  \"deep\": [\n    \"hunter22 \\\"and\\\" a half\"\n  ],\n  \"port\": 1\n}\n"),
        ("yaml", "deep:\n  - \"hunter22 \\\"and\\\" a half\"\nport: 1\n"),
        ("toml", "deep = ['hunter22 \"and\" a half']\nport = 1\n"),
    ] {
        let path = site.files().join(format);
        let spec = json!({"path": path, "format": format, "data": {"port": 1, "deep": [{"$secret": "backup"}]}});
        publish(&people, "org", json!({"resources": {"file/box": {"spec": spec, "drift": "report"}}})).await;
        holds(&path, written).await;
        stands(&people, "box-7", Standing::Converged).await;
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, written.replace('1', "2")).unwrap();
        let desired = stands(&people, "box-7", Standing::Drifted).await;
        let pulled = hub.sortie(&["state", "pull", "box-7"]).well();
        assert!(pulled.stderr.contains("there is something secret in it"), "{pulled:?}");
        let events = format!("{:?}", hub.events("").await);
        for told in [hub.log(), site.log(), serde_json::to_string(&desired).unwrap(), pulled.stdout, events] {
            assert!(!told.contains("hunter22"), "{told}");
        }
    }
}
