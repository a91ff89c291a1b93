//! Secrets have one home: whoever was handed one has it, and no file, log, list or event does.

use std::path::{Path, PathBuf};

use serde_json::json;
use sortie_wire::events::EventQuery;
use stories::{Scene, Site, on_sqlite};

use crate::help::{enroll, invite, key, read};
use crate::tokens::make;

on_sqlite!(
    the_secrets_of_tokens_and_invites_are_nowhere_but_with_those_who_got_them,
    keys_are_files_that_only_their_owner_may_read,
);

async fn the_secrets_of_tokens_and_invites_are_nowhere_but_with_those_who_got_them(scene: Scene) {
    let hub = scene.hub().variable("SORTIE_LOG", "trace").start().await;
    let (ci, open) = (make(&hub, json!({ "name": "ci", "role": "admin" })).await.token, hub.invite("south").await);
    let used = invite(&hub, json!({ "node": "north" })).await;
    let site = Site::new(&scene, "north").setting("log_level", "trace");
    let told = site.enroll(&used).well();
    let agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    hub.ended(id).await;
    hub.people_as(&ci).whoami().await.unwrap();
    // Asked once more, and wrongly.
    enroll(&hub, &used, &stories::certificate_request(&key())).await;
    let people = hub.people();
    let query = EventQuery { limit: Some(1000), after: Some(0), ..EventQuery::default() };
    let shown = [
        serde_json::to_string(&people.events(&query).await.unwrap()).unwrap(),
        serde_json::to_string(&people.tokens().await.unwrap()).unwrap(),
        serde_json::to_string(&people.invites().await.unwrap()).unwrap(),
        serde_json::to_string(&people.node("north").await.unwrap()).unwrap(),
        told.stdout + &told.stderr,
        hub.operations("/metrics").await.1,
    ];
    let admin = hub.admin_token();
    agent.stop().await;
    let data = hub.kill().await.data();
    let mut files = files_under(scene.folder());
    files.retain(|file| *file != data.join("admin.token"));
    for name in ["sortie.db", "hub.log", "north.log", "ledger.db"] {
        assert!(files.iter().any(|file| file.ends_with(name)), "{name} is not looked at: {files:?}");
    }
    for secret in [&secret_of(&ci), &secret_of(&admin), &read(&open).secret, &read(&used).secret] {
        let stands = |text: &[u8]| text.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!shown.iter().any(|text| stands(text.as_bytes())), "a secret is shown");
        let holding: Vec<&PathBuf> = files.iter().filter(|file| stands(&std::fs::read(file).unwrap())).collect();
        assert!(holding.is_empty(), "a secret stands in {holding:?}");
    }
}

async fn keys_are_files_that_only_their_owner_may_read(scene: Scene) {
    use std::os::unix::fs::PermissionsExt as _;
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (keys, identity) = (files_under(&hub.data().join("keys")), files_under(&site.data().join("identity")));
    assert!(keys.len() >= 4 && identity.len() == 3, "{keys:?} {identity:?}");
    for file in keys.iter().chain(&identity).chain([&hub.data().join("admin.token")]) {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert_eq!((mode(&hub.data()), mode(&hub.data().join("keys"))), (0o700, 0o700));
    let own = std::fs::read(site.data().join("identity/key.pem")).unwrap();
    let own = String::from_utf8(own).unwrap().lines().nth(1).unwrap().to_owned();
    for file in files_under(&hub.data()) {
        let text = std::fs::read(&file).unwrap();
        assert!(!text.windows(own.len()).any(|window| window == own.as_bytes()), "{}", file.display());
    }
}

/// What is secret about a token.
fn secret_of(token: &str) -> String {
    token.split_once('.').expect("a token has an id and a secret").1.to_owned()
}

/// All files under a folder.
fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let (folders, files): (Vec<_>, Vec<_>) = entries.map(|entry| entry.path()).partition(|path| path.is_dir());
    folders.iter().flat_map(|folder| files_under(folder)).chain(files).collect()
}
