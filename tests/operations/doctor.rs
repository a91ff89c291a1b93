//! `sortie doctor`: all well is 0; each fault is 1, with what was found and what to do.

use std::path::Path;

use serde_json::{Value, json};
use stories::{As, Ended, Net, Program, RunningHub, Scene, on_sqlite, until};

on_sqlite!(
    a_well_hub_and_a_well_agent_have_nothing_in_the_way,
    a_hub_that_is_down_is_told_for_both,
    a_hub_that_swallows_everything_is_told,
    another_authority_is_told_and_who_issued_the_certificate,
    a_proxy_that_is_not_there_is_told,
    a_name_that_is_not_known_is_told,
    a_revoked_token_is_told,
    a_revoked_node_is_told,
    a_quarantined_node_is_told,
    a_folder_without_an_agent_is_told,
    a_broken_policy_is_told,
    a_program_that_cannot_run_is_told,
);

async fn a_well_hub_and_a_well_agent_have_nothing_in_the_way(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    for data in [hub.data(), site.data()] {
        let told = doctor(&data, &[]);
        assert_eq!(told.code, Some(0), "{told:?}");
        assert!(told.stderr.contains("Nothing stands in the way."), "{told:?}");
        let table = as_json(&data, &[]);
        assert_eq!(table["ok"], json!(true));
        let verdicts: Vec<&Value> = table["checks"].as_array().unwrap().iter().map(|check| &check["verdict"]).collect();
        assert!(verdicts.len() >= 6 && verdicts.iter().all(|verdict| **verdict == json!("ok")), "{table}");
    }
    let _agent = site.start();
    heard(&hub).await;
    assert_eq!(doctor(&site.data(), &[]).code, Some(0), "beside a running agent too");
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.attempt, 1, "and it did not disturb the line");
    assert!(hub.events("node.quarantined").await.is_empty());
}

async fn a_hub_that_is_down_is_told_for_both(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let plan = hub.kill().await;
    for data in [plan.data(), site.data()] {
        is_told(&data, &[], "connection", "refused", "is the hub running");
    }
}

async fn a_hub_that_swallows_everything_is_told(scene: Scene) {
    let plan = scene.hub();
    let net = Net::to(&plan.url()).await;
    let hub = plan.setting("url", net.url()).start().await;
    let site = hub.site("north").await;
    net.refuse();
    let told = as_json(&site.data(), &[]);
    assert_eq!(told["ok"], json!(false), "{told}");
    let bad = told["checks"].as_array().unwrap().iter().find(|check| check["verdict"] == json!("bad"));
    assert!(bad.is_some_and(|check| check["remedy"].is_string()), "{told}");
}

async fn another_authority_is_told_and_who_issued_the_certificate(scene: Scene) {
    let (hub, other) = (scene.hub().start().await, scene.hub_named("other").start().await);
    let (url, token, ca) = (hub.url(), hub.admin_token(), other.ca_file().display().to_string());
    let told = run(&["doctor"], &[("SORTIE_HUB", &url), ("SORTIE_TOKEN", &token), ("SORTIE_CA", &ca)]);
    assert_eq!(told.code, Some(1), "{told:?}");
    let line = told.stdout.lines().find(|line| line.starts_with("!!")).unwrap_or_default();
    assert!(line.contains("certificate") && line.contains("issued by"), "{told:?}");
    assert!(told.stdout.contains("take ca.pem from the hub's data folder again"), "{told:?}");
    assert!(!told.stdout.contains(&token), "{told:?}");
}

async fn a_proxy_that_is_not_there_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let nowhere = format!("http://me:open-sesame@127.0.0.1:{}", scene.free_port());
    for data in [hub.data(), site.data()] {
        let told = is_told(&data, &[("HTTPS_PROXY", &nowhere)], "connection", "refused", "NO_PROXY");
        assert!(told.contains("as HTTPS_PROXY says") && !told.contains("open-sesame"), "{told}");
    }
}

async fn a_name_that_is_not_known_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let token = hub.admin_token();
    let variables = [("SORTIE_HUB", "https://hub.invalid:8443"), ("SORTIE_TOKEN", &token), ("SORTIE_CA", "")];
    let told = run(&["doctor"], &variables);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stdout.contains("hub.invalid") && told.stdout.contains("DNS"), "{told:?}");
}

async fn a_revoked_token_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let made = hub.request(http::Method::POST, "/api/v1/tokens").json(&json!({ "name": "ci", "role": "viewer" }));
    let made = made.send().await.json();
    let (id, token) = (made["details"]["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    let (url, ca) = (hub.url(), hub.ca_file().display().to_string());
    let variables = [("SORTIE_HUB", url.as_str()), ("SORTIE_TOKEN", token), ("SORTIE_CA", &ca)];
    assert_eq!(run(&["doctor"], &variables).code, Some(0));
    let path = format!("/api/v1/tokens/{id}/revoke");
    assert_eq!(hub.request(http::Method::POST, &path).send().await.status, 200);
    let told = run(&["doctor"], &variables);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stdout.contains("!!  token") && told.stdout.contains("an admin can make a new token"), "{told:?}");
    assert_eq!(
        hub.request(http::Method::GET, "/api/v1/whoami").from(As::Token(token.to_owned())).send().await.status,
        401
    );
}

async fn a_revoked_node_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    hub.people().revoke_node("north").await.unwrap();
    is_told(&site.data(), &[], "admission", "revoked", "--replace");
}

async fn a_quarantined_node_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let plan = hub.kill().await;
    plan.sql("update nodes set quarantined_at = 1");
    let hub = plan.start().await;
    is_told(&site.data(), &[], "admission", "Two agents came with this node's key", "sortie node readmit");
    assert_eq!(hub.people().node("north").await.unwrap().heard_at, None, "it is no sign of life");
    hub.people().readmit_node("north").await.unwrap();
    assert_eq!(doctor(&site.data(), &[]).code, Some(0));
}

async fn a_folder_without_an_agent_is_told(scene: Scene) {
    let empty = scene.folder().join("empty");
    std::fs::create_dir(&empty).unwrap();
    is_told(&empty, &[], "identity", "neither of a hub nor of an enrolled agent", "sortie agent enroll");
    assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0, "it only looks");
}

async fn a_broken_policy_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    site.set_policy("alow = [\"sys.info\"]\n");
    is_told(&site.data(), &[], "policy", "policy.toml", "refuses everything");
}

async fn a_program_that_cannot_run_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    site.set_policy(
        "[handlers.\"demo.backup\"]\nkind = \"command\"\nprogram = \"/no/such/program\"\n\
         [appliers.\"storage.policy\"]\ncheck = [\"/no/such/applier\"]\napply = [\"/no/such/applier\"]\n\
         [reports.storage]\nkind = \"storage\"\nprogram = \"/no/such/report\"\n",
    );
    let told = doctor(&site.data(), &[]);
    assert_eq!(told.code, Some(0), "the agent may be another user, so it is not said to be a fault: {told:?}");
    for (table, program) in [
        ("[handlers.\"demo.backup\"]: ", "/no/such/program"),
        ("[appliers.\"storage.policy\"] check: ", "/no/such/applier"),
        ("[reports.storage]: ", "/no/such/report"),
    ] {
        let found = told.stdout.lines().find(|line| line.contains(table)).unwrap_or_default();
        assert!(found.starts_with('!') && found.contains(program) && found.contains("not there"), "{told:?}");
    }
}

async fn heard(hub: &RunningHub<'_>) {
    let people = hub.people();
    until("the agent is heard", async || people.node("north").await.unwrap().heard_at.map(drop)).await;
}

/// That this check fails with these words, and this advice.
#[track_caller]
fn is_told(data: &Path, variables: &[(&str, &str)], what: &str, found: &str, remedy: &str) -> String {
    let told = doctor(data, variables);
    assert_eq!(told.code, Some(1), "{told:?}");
    let mut lines = told.stdout.lines().skip_while(|line| !line.starts_with("!!"));
    let (fault, advice) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    assert!(fault.contains(what) && fault.contains(found), "{fault}\n{told:?}");
    assert!(advice.contains("try:") && advice.contains(remedy), "{advice}\n{told:?}");
    assert!(told.stderr.contains("Something stands in the way."), "{told:?}");
    let table = as_json(data, variables);
    let bad = table["checks"].as_array().unwrap().iter().find(|check| check["verdict"] == json!("bad")).unwrap();
    assert_eq!((&table["ok"], &bad["what"]), (&json!(false), &json!(what)), "{table}");
    told.stdout
}

fn doctor(data: &Path, variables: &[(&str, &str)]) -> Ended {
    run(&["doctor", "--data", &data.display().to_string()], variables)
}

fn as_json(data: &Path, variables: &[(&str, &str)]) -> Value {
    let told = run(&["doctor", "--json", "--data", &data.display().to_string()], variables);
    serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("{error}: {told:?}"))
}

fn run(words: &[&str], variables: &[(&str, &str)]) -> Ended {
    Ended::of(Program::Sortie.command().args(words).envs(variables.iter().copied()))
}
