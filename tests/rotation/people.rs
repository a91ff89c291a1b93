//! People's commands and invites, which believe an authority by name and follow no chain of key sets.

use serde_json::json;
use sortie_wire::hub_keys::Rotatable;
use stories::{Ended, Home, Scene, Site, on_sqlite};

use crate::steps::{finish, rotate, rotate_at_once};

on_sqlite!(
    whoever_has_an_older_ca_pem_is_warned_of_and_told_what_to_do,
    an_invite_that_names_a_gone_authority_is_void_and_says_so,
    what_cannot_be_rotated_or_finished_yet_is_told_with_what_to_do,
);

async fn whoever_has_an_older_ca_pem_is_warned_of_and_told_what_to_do(scene: Scene) {
    let hub = scene.hub().start().await;
    let home = Home::new(&scene);
    let former = scene.folder().join("former.pem");
    std::fs::copy(hub.ca_file(), &former).unwrap();
    let (former, newest) = (former.display().to_string(), hub.ca_file().display().to_string());
    let token = hub.data().join("admin.token").display().to_string();
    home.run(&["profile", "add", "prod", "--hub", &hub.url(), "--token-file", &token, "--ca", &former]).well();
    home.run(&["whoami"]).well();
    rotate_at_once(&hub, Rotatable::Authority).await;
    let finished = hub.sortie(&["hub", "keys", "finish", "--yes"]).well();
    for word in ["began 0 days ago", "ca.pem", "SORTIE_CA", "sortie profile trust"] {
        assert!(finished.stderr.contains(word), "{word}: {finished:?}");
    }
    let void = home.run(&["whoami"]);
    void.failed(
        4,
        &["nobody who is trusted here vouches", "may have been rotated", "sortie profile trust prod ca.pem"],
    );
    assert!(!void.stderr.contains("ca_file"), "that is a setting of agents: {void:?}");
    let mut by_variables = home.command(&["whoami"]);
    by_variables.env("SORTIE_HUB", hub.url()).env("SORTIE_TOKEN", hub.admin_token()).env("SORTIE_CA", &former);
    Ended::of(&mut by_variables).failed(4, &["may have been rotated", "check SORTIE_CA"]);
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1), "{doctor:?}");
    let (rotated, proxy) = (doctor.stdout.find("may have been rotated"), doctor.stdout.find("your company's proxy"));
    assert!(rotated.is_some() && rotated < proxy && !doctor.stdout.contains("agent.toml"), "{doctor:?}");
    home.run(&["profile", "trust", "prod", "/nonexistent"]).failed(2, &["cannot be read"]);
    home.run(&["profile", "trust", "pord", &newest]).failed(2, &["did you mean `prod`?"]);
    home.run(&["profile", "trust", "prod", &newest]).well();
    home.run(&["whoami"]).well();
    // A rotation of the delivery key is none of theirs.
    rotate_at_once(&hub, Rotatable::Delivery).await;
    let finished = hub.sortie(&["hub", "keys", "finish", "--yes"]).well();
    assert!(!finished.stderr.contains("ca.pem"), "{finished:?}");
}

async fn an_invite_that_names_a_gone_authority_is_void_and_says_so(scene: Scene) {
    let hub = scene.hub().start().await;
    let before = hub.invite("north").await;
    let void = |name: &str| {
        let listed = hub.sortie_json(&["invite", "list"]);
        let all = listed["items"].as_array().unwrap().clone();
        all.into_iter().find(|invite| invite["node"] == json!(name)).unwrap()["void"] == json!(true)
    };
    rotate_at_once(&hub, Rotatable::Authority).await;
    assert!(!void("north"), "both authorities are believed");
    finish(&hub, true).await;
    assert!(void("north"));
    let table = hub.sortie(&["invite", "list"]).well().stdout;
    assert!(table.lines().any(|line| line.contains("north") && line.contains("void")), "{table}");
    let site = Site::new(&scene, "north");
    let refused = site.enroll(&before);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(
        refused.stderr.contains("older than a rotation") && refused.stderr.contains("invite create"),
        "{refused:?}"
    );
    let after = hub.invite("south").await;
    assert!(!void("south"));
    Site::new(&scene, "south").enroll(&after).well();
}

async fn what_cannot_be_rotated_or_finished_yet_is_told_with_what_to_do(scene: Scene) {
    let hub = scene.hub().start().await;
    let _away = hub.hand_node("away").await;
    rotate(&hub, Rotatable::Delivery).await;
    let again = hub.sortie(&["hub", "keys", "rotate", "--yes"]);
    again.failed(2, &["nothing was rotated", "was announced", "an hour at most", "node revoke", "--at-once"]);
    assert!(!again.stderr.contains("gets version"), "nothing is promised: {again:?}");
    let early = hub.sortie(&["hub", "keys", "finish", "--yes"]);
    early.failed(3, &["`away` (key set 1 of 2, never heard)", "Wait until", "node revoke", "--force"]);
    hub.sortie(&["hub", "keys", "rotate", "--authority", "--yes"]).well();
    hub.sortie(&["hub", "keys", "rotate", "--at-once", "--yes"]).well();
}
