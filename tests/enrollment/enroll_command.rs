//! `sortie agent enroll`: what it leaves behind, and what it says where it cannot go on.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use stories::{Ended, RunningHub, Scene, Site, certificate_request, on_sqlite, until};

use crate::help::{ask_for_invite, changed, enroll, invite, key, passed, read, traces};

on_sqlite!(
    an_enrolment_leaves_an_identity_that_only_its_owner_may_read_and_a_first_policy,
    an_invite_may_come_on_standard_input_and_json_says_what_came_of_it,
    each_refusal_has_its_code_and_says_what_to_do,
    a_hub_that_is_away_or_is_not_believed_ends_with_4,
    what_is_no_invite_is_refused_before_anything_is_made,
    an_agent_that_is_enrolled_is_not_enrolled_again,
    an_agent_that_was_refused_may_come_with_another_invite,
);

async fn an_enrolment_leaves_an_identity_that_only_its_owner_may_read_and_a_first_policy(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = Site::new(&scene, "north");
    std::fs::remove_dir_all(site.data()).unwrap();
    let told = site.enroll(&hub.invite("north").await).well();
    let id = hub.people().node("north").await.unwrap().id.to_string();
    for word in ["north", &id, &hub.url(), "a first policy was written to", "policy.toml"] {
        assert!(told.stdout.contains(word), "`{word}` is not said: {told:?}");
    }
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&site.data()), 0o700);
    for file in ["key.pem", "certificate.pem", "node.json"] {
        assert_eq!(mode(&site.data().join("identity").join(file)), 0o600, "{file}");
    }
    let _agent = site.start();
    let task = hub.ended(hub.submit("north", "sys.info", json!({})).await).await;
    assert_eq!(task.summary.status.as_str(), "completed", "the first policy lets a first task run: {task:?}");
}

async fn an_invite_may_come_on_standard_input_and_json_says_what_came_of_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = Site::new(&scene, "north");
    let file = scene.folder().join("invite");
    // As a shell leaves it that was told `> invite`.
    std::fs::write(&file, hub.invite("north").await + "\n").unwrap();
    let mut command = site.command("enroll");
    command.args(["--invite", "-", "--json"]).stdin(Stdio::from(std::fs::File::open(file).unwrap()));
    let told = Ended::of(&mut command).well().json();
    let node = hub.people().node("north").await.unwrap().id;
    let policy = site.data().join("policy.toml").display().to_string();
    let expected = json!({ "node": node, "name": "north", "hub": hub.url(), "policy": policy, "operators": null });
    assert_eq!(told, expected);
}

async fn each_refusal_has_its_code_and_says_what_to_do(scene: Scene) {
    let (hub, other) = (scene.hub().start().await, scene.hub_named("other").start().await);
    let (used, taken, withdrawn) = (hub.invite("north").await, hub.invite("north").await, hub.invite("south").await);
    assert_eq!(enroll(&hub, &used, &certificate_request(&key())).await.status, 200);
    hub.people().revoke_invite(read(&withdrawn).id).await.unwrap();
    let expired = ask_for_invite(&hub, &json!({ "node": "south", "valid_for": 1 })).await.json();
    passed(&hub.people(), expired["details"]["expires_at"].as_i64().unwrap()).await;
    let tampered = changed(&hub.invite("south").await, |invite| invite.secret.replace_range(..4, "AAAA"));
    // The other hub's invite, sent to this one by somebody who believes that they are the same.
    let ours = read(&used);
    let foreign = changed(&other.invite("south").await, |invite| {
        (invite.hub, invite.ca) = (ours.hub.clone(), ours.ca.clone());
    });
    let before = (traces(&hub).await, traces(&other).await);
    for (invite, words) in [
        (used.as_str(), ["invite_used", "used by another agent"]),
        (taken.as_str(), ["node_exists", "--replace"]),
        (withdrawn.as_str(), ["invite_revoked", "ask for a new one"]),
        (expired["invite"].as_str().unwrap(), ["invite_expired", "ask for a new one"]),
        (tampered.as_str(), ["invite_unknown", "ask for a new one"]),
        (foreign.as_str(), ["invite_unknown", "ask for a new one"]),
    ] {
        is_told(&scene, invite, 3, &words);
    }
    assert_eq!((traces(&hub).await, traces(&other).await), before, "and nothing was changed");
}

async fn a_hub_that_is_away_or_is_not_believed_ends_with_4(scene: Scene) {
    let (hub, other) = (scene.hub().start().await, scene.hub_named("other").start().await);
    let invite = hub.invite("north").await;
    let elsewhere = changed(&invite, |invite| invite.hub = other.url());
    is_told(&scene, &elsewhere, 4, &["either this is another hub or a proxy on the way", "Sortie hub authority"]);
    let other_authority = changed(&invite, |invite| invite.ca = "ab".repeat(32));
    is_told(&scene, &other_authority, 4, &["SHA-256", &"ab".repeat(32)]);
    assert_eq!((traces(&hub).await, traces(&other).await), ((0, 0, 0), (0, 0, 0)));
    let plan = hub.kill().await;
    is_told(&scene, &invite, 4, &["cannot be reached", &plan.url(), "is the hub running"]);
}

async fn what_is_no_invite_is_refused_before_anything_is_made(scene: Scene) {
    let hub = scene.hub().start().await;
    let invite = hub.invite("north").await;
    let site = Site::new(&scene, "north");
    std::fs::remove_dir_all(site.data()).unwrap();
    let half = &invite[..invite.len() / 2];
    let upper = invite.to_uppercase();
    for text in ["", "north", half, &invite[1..], &invite[..invite.len() - 1], &upper, &format!("{invite}{invite}")] {
        let told = site.enroll(text);
        told.failed(2, &["one line that begins with `sortie-invite-1.`", "was it cut when copied?"]);
        assert!(!text.contains("sortie") || !told.stderr.contains(text), "what was given is not repeated: {told:?}");
    }
    assert!(!site.data().exists());
    assert_eq!(traces(&hub).await, (0, 0, 0));
    site.enroll(&format!("  {invite}\n")).well();
}

async fn an_agent_that_is_enrolled_is_not_enrolled_again(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let (before, second) = (identity(&site), hub.invite("south").await);
    let told = site.enroll(&second);
    told.failed(2, &["enrolled already, as `north` at", &hub.url(), "--replace"]);
    let mut agent = site.start();
    until("the agent is heard", async || hub.people().node("north").await.unwrap().heard_at).await;
    site.enroll(&second).failed(2, &["another agent is running", "a data folder of its own"]);
    assert_eq!(identity(&site), before);
    assert!(agent.process.ended().is_none());
    assert_eq!(traces(&hub).await.1, 1, "the second invite is still open");
    Site::new(&scene, "south").enroll(&second).well();
}

async fn an_agent_that_was_refused_may_come_with_another_invite(scene: Scene) {
    let hub = scene.hub().start().await;
    let used = hub.invite("north").await;
    enroll(&hub, &used, &certificate_request(&key())).await;
    let site = Site::new(&scene, "north");
    site.enroll(&used).failed(3, &["invite_used"]);
    let files = || identity(&site).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(files(), ["key.pem"], "nothing but the key that it has made");
    let key = identity(&site);
    site.enroll(&invite(&hub, json!({ "node": "north", "replace": true })).await).well();
    assert!(identity(&site).contains(&key[0]), "which it keeps");
    hub_knows(&hub, &site).await;
}

async fn hub_knows(hub: &RunningHub<'_>, site: &Site<'_>) {
    let _agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}

/// The files of a site's identity, by name.
fn identity(site: &Site<'_>) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(site.data().join("identity")).unwrap().flatten();
    let mut files: Vec<_> =
        files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect();
    files.sort();
    files
}

/// That an agent of a site of its own ends with this code and these words, in text and in JSON, and
/// never says the secret.
#[track_caller]
fn is_told(scene: &Scene, invite: &str, code: i32, words: &[&str]) {
    let site = Site::new(scene, &format!("refused-{}", uuid::Uuid::new_v4()));
    let told = site.enroll(invite);
    told.failed(code, words);
    let told_as_json = Ended::of(site.command("enroll").args(["--invite", invite, "--json"]));
    let failure: Value =
        serde_json::from_str(&told_as_json.stderr).unwrap_or_else(|error| panic!("{error}: {told_as_json:?}"));
    assert_eq!((told_as_json.code, &failure["exit"]), (Some(code), &json!(code)), "{failure}");
    assert!(failure["error"].is_string(), "{failure}");
    let secret = read(invite).secret;
    assert!(!told.stderr.contains(&secret) && !told_as_json.stderr.contains(&secret), "{told:?}");
    assert!(!site.data().join("identity/node.json").exists());
}
