//! Which hub a command speaks to: a data folder, a profile, the variables, the profile in use.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use sortie_client::tls::fingerprint;
use stories::{Ended, Home, RunningHub, Scene, on_sqlite};

on_sqlite!(
    the_first_of_the_places_that_names_a_hub_is_taken_whole,
    profiles_are_noted_used_and_forgotten,
    an_authority_is_a_file_or_a_fingerprint,
    a_token_from_standard_input_is_kept_beside_the_profiles,
    a_hub_that_cannot_be_found_is_told_with_what_to_do,
    an_address_that_does_not_answer_or_is_not_believed_ends_with_4,
);

async fn the_first_of_the_places_that_names_a_hub_is_taken_whole(scene: Scene) {
    let [data, named, environment, in_use] = hubs(&scene).await;
    let home = Home::new(&scene);
    note(&home, "named", &named);
    note(&home, "in-use", &in_use);
    home.run(&["profile", "use", "in-use"]).well();
    let folder = data.data().display().to_string();
    let all = |words: &[&str]| {
        let mut command = home.command(&[&["doctor", "--json"], words].concat());
        whole_environment(&mut command, &environment);
        command
    };
    speaks_to(&mut all(&["--data", &folder]), &data);
    speaks_to(&mut all(&["--profile", "named"]), &named);
    speaks_to(&mut all(&[]), &environment);
    speaks_to(home.command(&["doctor", "--json"]).env("SORTIE_PROFILE", "named"), &named);
    speaks_to(&mut home.command(&["doctor", "--json"]), &in_use);
    let two = home.run(&["whoami", "--data", &folder, "--profile", "named"]);
    two.failed(2, &["cannot be used with"]);
    // Never an address from one place with a token from another.
    let mut half = home.command(&["whoami"]);
    Ended::of(half.env("SORTIE_HUB", environment.url())).failed(2, &["SORTIE_TOKEN is not"]);
}

async fn profiles_are_noted_used_and_forgotten(scene: Scene) {
    let (hub, other) = (scene.hub().start().await, scene.hub_named("other").start().await);
    let home = Home::new(&scene);
    assert!(home.run(&["profile", "list"]).well().stderr.contains("sortie profile add"));
    assert!(note(&home, "first", &hub).stderr.contains("It is in use"));
    assert!(note(&home, "second", &other).stderr.contains("sortie profile use second"));
    speaks_to(&mut home.command(&["doctor", "--json"]), &hub);
    home.run(&["profile", "use", "second"]).well();
    speaks_to(&mut home.command(&["doctor", "--json"]), &other);
    let listed = home.run(&["profile", "list", "--json"]).well().json();
    assert_eq!((&listed["active"], &listed["profile"]["first"]["hub"]), (&"second".into(), &hub.url().into()));
    let table = home.run(&["profile", "list"]).well().stdout;
    assert!(table.contains(&hub.url()) && table.contains(&other.url()) && !table.contains(&hub.admin_token()));
    let mode = std::fs::metadata(home.file("profiles.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    home.run(&["profile", "use", "secnod"]).failed(2, &["did you mean `second`?"]);
    home.run(&["profile", "remove", "second"]).well();
    home.run(&["whoami"]).failed(2, &["no hub was named", "none of the 1 profiles"]);
    home.run(&["whoami", "--profile", "second"]).failed(2, &["there is no profile `second`", "sortie profile add"]);
    assert!(hub.data().join("admin.token").exists(), "a token's file is its owner's");
}

async fn an_authority_is_a_file_or_a_fingerprint(scene: Scene) {
    let (hub, other) = (scene.hub().start().await, scene.hub_named("other").start().await);
    let home = Home::new(&scene);
    let pinned = |hub: &RunningHub<'_>| {
        let pem = std::fs::read(hub.ca_file()).unwrap();
        fingerprint(&x509_parser::pem::parse_x509_pem(&pem).unwrap().1.contents)
    };
    let whoami = |ca: &str| {
        let mut command = home.command(&["whoami", "--json"]);
        Ended::of(command.env("SORTIE_HUB", hub.url()).env("SORTIE_TOKEN", hub.admin_token()).env("SORTIE_CA", ca))
    };
    for ca in [hub.ca_file().display().to_string(), pinned(&hub), pinned(&hub).to_uppercase()] {
        assert_eq!(whoami(&ca).well().json()["name"], "admin", "{ca}");
    }
    whoami(&other.ca_file().display().to_string()).failed(4, &["no secure connection", "check SORTIE_CA"]);
    whoami(&pinned(&other)).failed(4, &["no secure connection", "check SORTIE_CA"]);
    whoami("").failed(4, &["nobody who is trusted here vouches", "Sortie hub authority"]);
    whoami("/nonexistent/ca.pem").failed(2, &["SORTIE_CA names /nonexistent/ca.pem", "the hub's ca.pem"]);
}

async fn a_token_from_standard_input_is_kept_beside_the_profiles(scene: Scene) {
    let hub = scene.hub().start().await;
    let home = Home::new(&scene);
    let ca = hub.ca_file().display().to_string();
    let words = ["profile", "add", "production", "--hub", &hub.url(), "--token-file", "-", "--ca", &ca];
    let mut add = home.command(&words).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    add.stdin.take().unwrap().write_all(format!("{}\n", hub.admin_token()).as_bytes()).unwrap();
    assert!(add.wait().unwrap().success());
    assert_eq!(home.run(&["whoami", "--json"]).well().json()["name"], "admin");
    let mode = std::fs::metadata(home.file("production.token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!std::fs::read_to_string(home.file("profiles.toml")).unwrap().contains(&hub.admin_token()));
}

async fn a_hub_that_cannot_be_found_is_told_with_what_to_do(scene: Scene) {
    let home = Home::new(&scene);
    let nowhere = home.run(&["node", "list"]);
    nowhere.failed(2, &["no hub was named", "--data DIR", "SORTIE_HUB", "sortie profile add"]);
    let empty = scene.folder().display().to_string();
    home.run(&["node", "list", "--data", &empty])
        .failed(2, &["hub.url cannot be read", "is", "the data folder of a hub?"]);
    let add = |more: &[&str]| home.run(&[&["profile", "add", "x", "--hub"], more].concat());
    let token = home.file("token");
    std::fs::create_dir_all(token.parent().unwrap()).unwrap();
    std::fs::write(&token, "t").unwrap();
    let token = token.display().to_string();
    add(&["http://hub", "--token-file", &token]).failed(2, &["is not a hub's address", "https://"]);
    add(&["https://hub", "--token-file", "/nonexistent"]).failed(2, &["no token file /nonexistent"]);
    add(&["https://hub", "--token-file", &token, "--ca", "/nonexistent"]).failed(2, &["--ca names /nonexistent"]);
    home.run(&["profile", "add", "A B", "--hub", "https://hub", "--token-file", &token]).failed(2, &["profile name"]);
    home.run(&["profile", "list"]).failed(0, &["No hub is noted"]);
    std::fs::write(home.file("profiles.toml"), "active = 7\n").unwrap();
    home.run(&["node", "list"]).failed(2, &["profiles.toml cannot be used"]);
    let as_json = home.run(&["node", "list", "--json"]);
    let failure: serde_json::Value = serde_json::from_str(&as_json.stderr).unwrap();
    assert_eq!((as_json.code, &failure["exit"]), (Some(2), &2.into()));
}

async fn an_address_that_does_not_answer_or_is_not_believed_ends_with_4(scene: Scene) {
    let (plan, other) = (scene.hub().start().await.kill().await, scene.hub_named("other").start().await);
    let home = Home::new(&scene);
    let folder = plan.data().display().to_string();
    for words in [&["node", "list"][..], &["token", "list"], &["invite", "create", "--node", "x"], &["site", "list"]] {
        let told = home.run(&[words, &["--data", &folder]].concat());
        told.failed(4, &["cannot be reached", &plan.url(), "is the hub running"]);
    }
    std::fs::write(plan.data().join("hub.url"), other.url()).unwrap();
    let told = home.run(&["invite", "create", "--node", "x", "--data", &folder]);
    told.failed(4, &["no secure connection to the hub at", &other.url()]);
    assert!(other.people().invites().await.unwrap().items.is_empty());
}

/// Notes a hub under this name.
fn note(home: &Home, name: &str, hub: &RunningHub<'_>) -> Ended {
    let text = |path: &Path| path.display().to_string();
    let (token, ca) = (text(&hub.data().join("admin.token")), text(&hub.ca_file()));
    home.run(&["profile", "add", name, "--hub", &hub.url(), "--token-file", &token, "--ca", &ca]).well()
}

async fn hubs(scene: &Scene) -> [RunningHub<'_>; 4] {
    let start = |name: &'static str| scene.hub_named(name).start();
    let (a, b, c, d) = tokio::join!(start("data"), start("named"), start("environment"), start("in-use"));
    [a, b, c, d]
}

fn whole_environment(command: &mut Command, hub: &RunningHub<'_>) {
    command.env("SORTIE_HUB", hub.url()).env("SORTIE_TOKEN", hub.admin_token()).env("SORTIE_CA", hub.ca_file());
}

/// That this doctor finds nothing in the way of this hub.
#[track_caller]
fn speaks_to(doctor: &mut Command, hub: &RunningHub<'_>) {
    let told = Ended::of(doctor).well();
    assert!(told.stdout.contains(&hub.url()), "{} is not spoken to: {told:?}", hub.url());
}
