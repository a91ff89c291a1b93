//! Sessions that begin with a password, as the command keeps them: what is said when they have ended is about
//! signing in, and none is left behind.

use std::io::Write as _;
use std::process::Stdio;

use http::Method;
use serde_json::{Value, json};
use stories::{Ended, Home, RunningHub, Scene, on_sqlite};

on_sqlite!(
    what_is_said_without_a_session_is_how_to_sign_in,
    a_second_sign_in_ends_the_first_and_a_profile_that_goes_takes_its_session_along,
    somebody_changes_their_own_password_by_command,
);

const PASSWORD: &str = "wild geese over the marsh";

/// Runs a command into which this is typed.
fn typed(home: &Home, words: &[&str], input: &str) -> Ended {
    let mut command = home.command(words);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

async fn account(hub: &RunningHub<'_>) {
    let body = json!({ "name": "anna", "role": "viewer", "password": PASSWORD });
    let made = hub.request(Method::POST, "/api/v1/accounts").json(&body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
}

fn login(home: &Home, hub: &RunningHub<'_>, password: &str) -> Ended {
    let (url, ca) = (hub.url(), hub.ca_file().display().to_string());
    typed(home, &["login", "--hub", &url, "--ca", &ca, "--account", "anna"], &format!("{password}\n"))
}

fn sessions(hub: &RunningHub<'_>) -> Vec<Value> {
    hub.sortie_json(&["session", "list"])["items"].as_array().unwrap().clone()
}

async fn what_is_said_without_a_session_is_how_to_sign_in(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub).await;
    let home = Home::new(&scene);
    login(&home, &hub, PASSWORD).well();
    // Ended by somebody else, whom it is said by name.
    hub.sortie(&["session", "end", "anna"]).well();
    hub.sortie(&["session", "end", "anna"]).failed(3, &["there is no session of `anna`"]);
    let ended = home.run(&["task", "list"]);
    ended.failed(3, &["session has ended", "sortie login --profile default --account NAME"]);
    assert!(!ended.stderr.contains("SORTIE_TOKEN"), "{ended:?}");
    login(&home, &hub, PASSWORD).well();
    home.run(&["logout"]).well();
    let out = home.run(&["task", "list"]);
    out.failed(2, &["you are signed out", "sortie login --profile default --account NAME"]);
    assert!(!out.stderr.contains("default.session"), "{out:?}");
    home.run(&["logout"]).failed(2, &["you are signed out"]);
    // Whoever comes with a token is told of tokens.
    let url = hub.url();
    let mut command = home.command(&["whoami"]);
    command.env("SORTIE_HUB", &url).env("SORTIE_TOKEN", "sortie_tok_x.y").env("SORTIE_CA", hub.ca_file());
    Ended::of(&mut command).failed(3, &["check SORTIE_TOKEN"]);
}

async fn a_second_sign_in_ends_the_first_and_a_profile_that_goes_takes_its_session_along(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub).await;
    let home = Home::new(&scene);
    login(&home, &hub, PASSWORD).well();
    let first = sessions(&hub);
    login(&home, &hub, "not the password at all").failed(3, &["wrong"]);
    assert_eq!(sessions(&hub).len(), 1, "who fails to sign in loses nothing");
    login(&home, &hub, PASSWORD).well();
    let second = sessions(&hub);
    assert!(second.len() == 1 && second[0]["id"] != first[0]["id"], "{first:?} {second:?}");
    assert_eq!(home.run(&["whoami", "--json"]).well().json()["name"], json!("anna"));
    let removed = home.run(&["profile", "remove", "default"]).well();
    assert!(removed.stderr.contains("you are signed out there"), "{removed:?}");
    assert!(!home.file("default.session").exists() && sessions(&hub).is_empty());
}

async fn somebody_changes_their_own_password_by_command(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub).await;
    let home = Home::new(&scene);
    login(&home, &hub, PASSWORD).well();
    let new = "another flock of geese";
    let change = |old: &str, new: &str| typed(&home, &["account", "password"], &format!("{old}\n{new}\n"));
    change("not the old one at all", new).failed(3, &["old password"]);
    change(PASSWORD, "short").failed(3, &["at least 12 characters"]);
    let changed = change(PASSWORD, new).well();
    assert!(changed.stderr.contains("anna has another password") && !changed.stderr.contains("geese"), "{changed:?}");
    home.run(&["whoami"]).well();
    login(&home, &hub, PASSWORD).failed(3, &["wrong"]);
    login(&home, &hub, new).well();
    hub.sortie(&["account", "password"]).failed(1, &["standard input has ended"]);
}
