//! A set of operators that one member has drawn up and others have yet to sign.

use serde_json::json;
use stories::{Scene, on_sqlite};

use crate::help::Person;

on_sqlite!(
    a_draft_is_not_dropped_unless_somebody_says_so,
    programs_read_a_draft_as_they_read_a_set,
    a_draft_after_a_set_is_not_published_and_that_is_said,
    whoever_does_not_sign_a_set_is_not_told_that_all_is_well,
);

/// Two members who must both sign, and the file with their first set.
fn two(scene: &Scene) -> (Person, Person, String) {
    let (ada, bob) = (Person::new(scene, "ada"), Person::new(scene, "bob"));
    let file = scene.folder().join("operators.json").display().to_string();
    let members = [ada.public("ada"), bob.public("bob")];
    let words = ["operators", "new", &file, "--member", &members[0], "--member", &members[1], "--needed", "2"];
    ada.says(None, &words, "").well();
    bob.says(None, &["operators", "sign", &file, "--yes"], "").well();
    (ada, bob, file)
}

async fn a_draft_is_not_dropped_unless_somebody_says_so(scene: Scene) {
    let (ada, bob, file) = two(&scene);
    ada.says(None, &["operators", "change", &file, "--needed", "1"], "").well();
    let before = std::fs::read(&file).unwrap();
    bob.says(None, &["operators", "change", &file, "--remove", "ada", "--needed", "1"], "")
        .failed(2, &["set 2", "1 of 2 are there", "operators sign", "--replace"]);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let replaced =
        bob.says(None, &["operators", "change", &file, "--remove", "ada", "--needed", "1", "--replace"], "").well();
    assert!(replaced.stderr.contains("- ada") && replaced.stderr.contains("1 of 2 are there"), "{replaced:?}");
}

async fn programs_read_a_draft_as_they_read_a_set(scene: Scene) {
    let (ada, _, file) = two(&scene);
    let show = || ada.home.run(&["operators", "show", &file, "--json"]).well().json();
    let stands = show();
    assert_eq!((&stands["set"]["version"], &stands["waiting"]), (&json!(1), &json!(null)));
    let drawn = ada.says(None, &["operators", "change", &file, "--needed", "1", "--json"], "").well().json();
    assert_eq!(drawn, show(), "whoever draws it up reads the same");
    assert_eq!((&drawn["set"], &drawn["fingerprint"]), (&stands["set"], &stands["fingerprint"]));
    let waiting = &drawn["waiting"];
    assert_eq!(
        (&waiting["set"]["version"], &waiting["signed"], &waiting["needed"]),
        (&json!(2), &json!(1), &json!(2)),
        "{drawn}"
    );
}

async fn a_draft_after_a_set_is_not_published_and_that_is_said(scene: Scene) {
    let hub = scene.hub().start().await;
    let (ada, _, file) = two(&scene);
    ada.says(None, &["operators", "change", &file, "--needed", "1"], "").well();
    let first = hub.sortie(&["operators", "publish", &file]).well();
    assert!(first.stderr.contains("The newest is not published: set 2"), "{first:?}");
    assert_eq!(hub.people().operators().await.unwrap().items.len(), 1);
    hub.sortie(&["operators", "publish", &file]).failed(2, &["nothing was published: set 2", "1 of 2 signatures"]);
}

async fn whoever_does_not_sign_a_set_is_not_told_that_all_is_well(scene: Scene) {
    let (ada, bob, file) = two(&scene);
    ada.says(None, &["operators", "change", &file, "--needed", "1"], "").well();
    let before = std::fs::read(&file).unwrap();
    // The first line that is typed here is the answer.
    bob.says(None, &["operators", "sign", &file], "").failed(1, &["Sign this set?", "Not signed."]);
    let twice = ada.home.run(&["operators", "sign", &file, "--yes"]).well();
    assert!(twice.stderr.contains("bears this key's signature already"), "{twice:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}
