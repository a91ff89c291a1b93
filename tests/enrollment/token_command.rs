//! `sortie token`: made, listed, ended; and what a token is good for on the command line.

use serde_json::json;
use stories::{Ended, Program, RunningHub, Scene, on_sqlite};

on_sqlite!(
    a_token_is_printed_alone_and_only_once,
    tokens_are_listed_with_what_became_of_them,
    a_token_is_ended_by_its_id,
    a_command_whose_token_may_not_is_told_who_it_is,
);

async fn a_token_is_printed_alone_and_only_once(scene: Scene) {
    let hub = scene.hub().start().await;
    let made = hub.sortie(&["token", "create", "--name", "ci", "--role", "operator", "--valid-for", "90d"]).well();
    let token = made.stdout.trim_end();
    assert!(made.stdout.ends_with('\n') && !token.contains(char::is_whitespace), "{made:?}");
    assert!(made.stderr.contains("shown only now") && !made.stderr.contains(token), "{made:?}");
    assert_eq!(hub.people_as(token).whoami().await.unwrap().role.as_str(), "operator");
    let listed = hub.sortie(&["token", "list"]).well().stdout;
    let secret = token.split_once('.').unwrap().1;
    assert!(listed.contains("ci") && !listed.contains(secret), "{listed}");
    let as_json = hub.sortie_json(&["token", "create", "--name", "web", "--role", "viewer"]);
    assert!(as_json["token"].is_string() && as_json["details"]["name"] == "web", "{as_json}");
    assert!(as_json["details"].get("expires_at").is_none(), "without an end unless one was given");
}

async fn tokens_are_listed_with_what_became_of_them(scene: Scene) {
    let hub = scene.hub().start().await;
    let revoked = made(&hub, "gone", &[]);
    hub.sortie(&["token", "revoke", &revoked.0]).well();
    let expired = made(&hub, "short", &["--valid-for", "1ms"]);
    let end = hub.people().tokens().await.unwrap().items[0].expires_at.unwrap();
    crate::help::passed(&hub.people(), end.0).await;
    let valid = made(&hub, "ci", &[]);
    let listed = hub.sortie(&["token", "list"]).well().stdout;
    for ((id, _), words) in
        [(&valid, ["ci", "valid"]), (&expired, ["short", "expired"]), (&revoked, ["gone", "revoked"])]
    {
        let line = listed.lines().find(|line| line.contains(id.as_str())).expect("it is listed");
        assert!(words.iter().all(|word| line.contains(word)), "{words:?}: {line}");
    }
    let places: Vec<_> = [&valid, &expired, &revoked].iter().map(|(id, _)| listed.find(id)).collect();
    assert!(places.is_sorted(), "newest first:\n{listed}");
    assert_eq!(hub.sortie_json(&["token", "list"])["items"].as_array().map(Vec::len), Some(4));
}

async fn a_token_is_ended_by_its_id(scene: Scene) {
    let hub = scene.hub().start().await;
    let (id, token) = made(&hub, "ci", &[]);
    let ended = hub.sortie(&["token", "revoke", &id]).well();
    assert!(ended.stdout.is_empty() && ended.stderr.contains("ci has ended"), "{ended:?}");
    assert!(hub.people_as(&token).whoami().await.is_err());
    assert!(hub.sortie_json(&["token", "revoke", &id])["revoked_at"].is_i64(), "twice is once");
    hub.sortie(&["token", "revoke", "01980c5e-7d1a-7c3e-9b7e-0123456789ab"]).failed(3, &["unknown_token (404)"]);
    hub.sortie(&["token", "revoke", "ci"]).failed(3, &["there is no token `ci`"]);
    hub.sortie(&["token", "create", "--name", "x", "--role", "root"])
        .failed(2, &["viewer, operator, admin or service"]);
    hub.sortie(&["token", "create", "--name", "x"]).failed(2, &["--role"]);
    hub.sortie(&["token", "create", "--name", "x", "--role", "viewer", "--valid-for", "90"])
        .failed(2, &["is not a span of time"]);
    hub.sortie(&["token", "create", "--name", "", "--role", "viewer"]).failed(3, &["/name", "field_invalid (422)"]);
}

async fn a_command_whose_token_may_not_is_told_who_it_is(scene: Scene) {
    let hub = scene.hub().start().await;
    let (_, viewer) = made(&hub, "web", &["--role", "viewer"]);
    as_whom(&hub, &viewer, &["node", "list"]).well();
    let refused = as_whom(&hub, &viewer, &["invite", "create", "--node", "north"]);
    refused.failed(
        3,
        &["`admission:write`: the role admin", "you have the role viewer", "sortie whoami", "forbidden (403)"],
    );
    let told = as_whom(&hub, &viewer, &["whoami", "--json"]).well().json();
    assert_eq!((&told["name"], &told["role"]), (&json!("web"), &json!("viewer")));
    let stranger = as_whom(&hub, "sortie_tok_nonsense", &["node", "list"]);
    stranger.failed(3, &["SORTIE_TOKEN", "unauthenticated (401)"]);
    let as_json = as_whom(&hub, "sortie_tok_nonsense", &["node", "list", "--json"]);
    let failure: serde_json::Value = serde_json::from_str(&as_json.stderr).unwrap();
    assert_eq!((&failure["exit"], &failure["problem"]["code"]), (&json!(3), &json!("unauthenticated")));
    let as_json = as_whom(&hub, &viewer, &["token", "create", "--json", "--role", "root"]);
    let failure: serde_json::Value = serde_json::from_str(&as_json.stderr).unwrap();
    assert_eq!((as_json.code, &failure["exit"]), (Some(2), &json!(2)), "what was typed wrongly is told as JSON too");
    assert!(hub.people().invites().await.unwrap().items.is_empty());
}

/// Makes a token, an operator's unless said otherwise: its id and itself.
fn made(hub: &RunningHub<'_>, name: &str, more: &[&str]) -> (String, String) {
    let role: &[&str] = if more.contains(&"--role") { &[] } else { &["--role", "operator"] };
    let words = [&["token", "create", "--name", name], role, more].concat();
    let made = hub.sortie_json(&words);
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    (text(&made["details"]["id"]), text(&made["token"]))
}

fn as_whom(hub: &RunningHub<'_>, token: &str, words: &[&str]) -> Ended {
    let mut command = Program::Sortie.command();
    command.env("SORTIE_HUB", hub.url()).env("SORTIE_TOKEN", token).env("SORTIE_CA", hub.ca_file());
    Ended::of(command.args(words))
}
