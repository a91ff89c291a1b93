//! The command line, as people use it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use sortie_rules::desired::Standing;
use stories::{Ended, Scene, on_sqlite};

use crate::help::{file, holds, keeper, layer, publish, stands};

on_sqlite!(
    a_layer_is_edited_compared_published_listed_and_rolled_back_by_command,
    a_draft_that_others_have_overtaken_is_not_published_unasked,
    what_is_mistyped_is_told_and_nothing_is_lost,
    secrets_and_reports_by_command,
);

async fn a_layer_is_edited_compared_published_listed_and_rolled_back_by_command(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (site, _agent) = keeper(&hub, "north").await;
    let motd = site.files().join("motd");
    // An editor that writes what it was given.
    let editor = scene.folder().join("editor");
    let wanted = scene.folder().join("wanted.json");
    std::fs::write(&editor, format!("#!/bin/sh\nexec cp {} \"$1\"\n", wanted.display())).unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let write = |state: &Value| std::fs::write(&wanted, state.to_string()).unwrap();
    write(&json!({"resources": {"file/motd": file(&motd, "one\n")}}));
    let edited = Ended::of(hub.command(&["state", "edit", "org"]).env("EDITOR", &editor)).well();
    assert!(edited.stderr.contains("sortie state publish org"), "{edited:?}");
    let diff = hub.sortie(&["state", "diff", "org"]).well();
    assert!(diff.stdout.starts_with("+ file/motd\n") && diff.stdout.contains("+ one"), "{diff:?}");
    assert!(diff.stderr.contains("1 node"), "{diff:?}");
    hub.sortie(&["state", "publish", "org", "-m", "first"]).failed(2, &["--yes"]);
    let watched = hub.sortie(&["state", "publish", "org", "-m", "first", "--yes", "--watch"]).well();
    assert!(watched.stderr.contains("completed") && watched.stderr.contains("Nobody was waited for"), "{watched:?}");
    stands(&people, "north", Standing::Converged).await;
    holds(&motd, "one\n").await;
    write(&json!({"resources": {"file/motd": file(&motd, "two\n")}}));
    let second = ["state", "edit", "org", "-m", "second", "--yes", "--watch"];
    let edited = Ended::of(hub.command(&second).env("EDITOR", &editor)).well();
    assert!(edited.stderr.contains("- one") && edited.stderr.contains("+ two"), "{edited:?}");
    stands(&people, "north", Standing::Converged).await;
    holds(&motd, "two\n").await;
    let node = hub.sortie(&["state", "node", "north"]).well().stdout;
    for word in ["converged", "org revision 2", "file/motd", "in order"] {
        assert!(node.contains(word), "{word}: {node}");
    }
    assert!(
        hub.sortie(&["state", "node", "north", "--layers"]).well().stdout.contains("/resources/file~1motd/spec/path")
    );
    hub.sortie(&["state", "rollback", "org", "--to", "1", "--yes", "--watch"]).well();
    stands(&people, "north", Standing::Converged).await;
    holds(&motd, "one\n").await;
    let history = hub.sortie(&["state", "history", "org"]).well().stdout;
    let words = ["first", "second", "Back to revision 1"];
    assert!(words.iter().all(|word| history.contains(word)), "{history}");
    let shown: Value = hub.sortie(&["state", "show", "org", "--revision", "2"]).well().json();
    assert_eq!(shown["resources"]["file/motd"]["spec"]["content"], "two\n");
    assert_eq!(
        hub.sortie(&["state", "show", "org"]).well().json()["resources"]["file/motd"]["spec"]["content"],
        "one\n"
    );
}

async fn a_draft_that_others_have_overtaken_is_not_published_unasked(scene: Scene) {
    let hub = scene.hub().start().await;
    let (people, mine) = (hub.people(), scene.folder().join("mine.json"));
    let state = |name: &str| json!({"resources": {name: {"spec": {"is": name}}}});
    std::fs::write(&mine, state("command/mine").to_string()).unwrap();
    let mine = mine.display().to_string();
    hub.sortie(&["state", "edit", "org", "--file", &mine]).well();
    publish(&people, "org", state("command/theirs")).await;
    hub.sortie(&["state", "publish", "org", "-m", "mine", "--yes"]).failed(3, &["revision 1", "sortie state diff org"]);
    let there = people.layer(&layer("org")).await.unwrap();
    assert!(there.revision == 1 && there.draft.is_some(), "nothing was published, and nothing is lost: {there:?}");
    // Begun anew on what stands, it is.
    let again = hub.sortie(&["state", "publish", "org", "--file", &mine, "-m", "mine", "--yes", "--watch"]).well();
    assert!(again.stderr.contains("gives way to the file"), "{again:?}");
    assert_eq!(people.layer(&layer("org")).await.unwrap().state, state("command/mine"));
}

async fn what_is_mistyped_is_told_and_nothing_is_lost(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.sortie(&["state", "show", "berlin"]).failed(2, &["site:KEY"]);
    hub.sortie(&["state", "publish", "org", "-m", "x", "--yes"]).failed(2, &["has no draft", "sortie state edit org"]);
    hub.sortie(&["state", "rollback", "org", "--to", "7", "--yes"]).failed(3, &["revision 7"]);
    hub.sortie(&["state", "show", "org", "--draft"]).failed(1, &["no draft"]);
    let wrong = scene.folder().join("wrong.json");
    std::fs::write(&wrong, "{\"resources\": {\n  \"file/a\" {}}}").unwrap();
    let wrong = wrong.to_str().unwrap();
    hub.sortie(&["state", "edit", "org", "--file", wrong]).failed(2, &["not JSON", "line 2"]);
    std::fs::write(wrong, json!({"resources": {"file/a": {"spec": {"path": "a"}}}}).to_string()).unwrap();
    // A draft may be half done; what is published may not.
    hub.sortie(&["state", "edit", "org", "--file", wrong]).well();
    hub.sortie(&["state", "publish", "org", "-m", "x", "--yes"]).failed(3, &["/state/resources/file~1a/spec/path"]);
    std::fs::write(wrong, json!({"resource": {}}).to_string()).unwrap();
    // What was written in an editor and is refused is kept beside.
    let copy = scene.folder().join("copy");
    std::fs::write(&copy, format!("#!/bin/sh\nexec cp {wrong} \"$1\"\n")).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = Ended::of(hub.command(&["state", "edit", "org"]).env("EDITOR", &copy));
    let place =
        refused.stderr.split("what you wrote is in ").nth(1).expect("the place is told").lines().next().unwrap();
    assert_eq!(std::fs::read_to_string(place).unwrap(), std::fs::read_to_string(wrong).unwrap());
    std::fs::remove_file(place).unwrap();
}

async fn secrets_and_reports_by_command(scene: Scene) {
    let hub = scene.hub().start().await;
    let (_site, _agent) = keeper(&hub, "north").await;
    let set = |value: &str| {
        let file = scene.folder().join("value");
        std::fs::write(&file, value).unwrap();
        Ended::of(hub.command(&["secret", "set", "wifi-key"]).stdin(std::fs::File::open(&file).unwrap()))
    };
    assert!(set("hunter22\n").well().stderr.contains("version 1"));
    let listed = hub.sortie(&["secret", "list"]).well().stdout;
    assert!(listed.contains("wifi-key") && !listed.contains("hunter22"), "{listed}");
    hub.sortie(&["secret", "remove", "wifi-key"]).well();
    hub.sortie(&["secret", "remove", "wifi-key"]).failed(3, &["wifi-key"]);
    stories::until("the agent has reported its facts", async || {
        hub.sortie(&["report", "list", "north"]).well().stdout.contains("facts").then_some(())
    })
    .await;
    let facts: Value = hub.sortie(&["report", "show", "north", "facts"]).well().json();
    assert!(facts.is_object(), "{facts}");
    hub.sortie(&["report", "show", "north", "nothing"]).failed(1, &["sortie report list north"]);
}
