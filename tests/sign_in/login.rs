//! `sortie login` and `sortie logout`: somebody signs in on another device, and commands go on from there.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};

use counterparts::{OidcPlan, OidcProvider};
use serde_json::{Value, json};
use stories::{Ended, Home, RunningHub, Scene, on_sqlite};

use crate::help::{deny, provider, start, whoami};

on_sqlite!(
    whoever_signs_in_on_another_device_is_known_to_every_command_until_they_sign_out,
    a_sign_in_is_renewed_before_its_token_ends_and_once_for_all_commands,
    a_sign_in_that_is_declined_or_comes_too_late_notes_nothing,
    somebody_whom_the_hub_does_not_know_is_told_so_at_once,
    a_hub_without_a_provider_and_a_profile_without_a_sign_in_say_what_to_do,
    whoever_has_a_password_signs_in_with_it_and_out_again,
);

/// What is kept of a sign-in.
fn kept(home: &Home, profile: &str) -> Value {
    let text = std::fs::read_to_string(home.file(&format!("{profile}.sign-in.json"))).expect("it is kept");
    serde_json::from_str(&text).expect("it is JSON")
}

/// `sortie login` at work, which has shown its code.
struct Login {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    code: Value,
}

impl Login {
    fn begin(home: &Home, hub: &RunningHub<'_>, profile: &str) -> Login {
        let ca = hub.ca_file().display().to_string();
        let mut command = home.command(&["login", "--json", "--hub", &hub.url(), "--ca", &ca, "--profile", profile]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("text");
        let code = serde_json::from_str(&line).unwrap_or_else(|error| panic!("no code ({error}): {line}"));
        Login { child, stdout, code }
    }

    fn user_code(&self) -> &str {
        self.code["user_code"].as_str().expect("a code")
    }

    fn end(mut self) -> Ended {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        std::io::Read::read_to_string(&mut self.stdout, &mut stdout).expect("text");
        let mut talk = self.child.stderr.take().expect("piped");
        std::io::Read::read_to_string(&mut talk, &mut stderr).expect("text");
        let code = self.child.wait().expect("it ends").code();
        Ended { code, stdout, stderr }
    }
}

fn sign_in(home: &Home, hub: &RunningHub<'_>, provider: &OidcProvider, sub: &str) -> Ended {
    let login = Login::begin(home, hub, "home");
    provider.approve(sub, login.user_code());
    login.end()
}

async fn whoever_signs_in_on_another_device_is_known_to_every_command_until_they_sign_out(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let home = Home::new(&scene);
    let login = Login::begin(&home, &hub, "home");
    let complete = login.code["verification_uri_complete"].as_str().expect("the provider gives it");
    assert!(complete.starts_with(&provider.issuer()) && complete.contains(login.user_code()), "{}", login.code);
    provider.approve("ada", login.user_code());
    let ended = login.end().well();
    assert!(ended.stderr.contains("Signed in as ada, admin") && ended.stderr.contains("is in use"), "{ended:?}");
    assert_eq!(ended.json()["name"], "ada");
    assert_eq!(home.run(&["whoami", "--json"]).well().json()["name"], "ada");
    home.run(&["node", "list", "--profile", "home"]).well();
    home.run(&["doctor"]).well();
    let kept = kept(&home, "home");
    let (access, refresh) = (kept["access_token"].as_str().unwrap(), kept["refresh_token"].as_str().unwrap());
    for file in ["home.sign-in.json", "profiles.toml"] {
        let mode = std::fs::metadata(home.file(file)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let profiles = std::fs::read_to_string(home.file("profiles.toml")).expect("it is there");
    assert!(!profiles.contains(access) && !profiles.contains(refresh));
    assert!(provider.holds(refresh));
    let out = home.run(&["logout"]).well();
    assert!(out.stderr.contains("signed out"), "{out:?}");
    assert!(!provider.holds(refresh), "the provider says so itself");
    assert_eq!(whoami(&hub, access).await.status, 401);
    assert!(!home.file("home.sign-in.json").exists());
    home.run(&["whoami"]).failed(2, &["you are signed out", "sortie login --profile home"]);
    home.run(&["logout"]).failed(2, &["you are signed out"]);
    // The profile still knows where the hub is.
    let mut again = home.command(&["login", "--json"]);
    let mut again = again.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let mut stdout = BufReader::new(again.stdout.take().expect("piped"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("text");
    let code: Value = serde_json::from_str(&line).expect("a code");
    provider.approve("vic", code["user_code"].as_str().expect("a code"));
    assert!(again.wait().expect("it ends").success());
    assert_eq!(home.run(&["whoami", "--json"]).well().json()["name"], "vic");
}

async fn a_sign_in_is_renewed_before_its_token_ends_and_once_for_all_commands(scene: Scene) {
    // Shorter than the time before its end at which a token is renewed.
    let provider = provider(&OidcPlan { life_s: 50, ..OidcPlan::default() });
    let hub = start(scene.hub(), &provider).await;
    let home = Home::new(&scene);
    sign_in(&home, &hub, &provider, "ada").well();
    let first = kept(&home, "home");
    let commands = (0..4).map(|_| {
        let mut command = home.command(&["whoami", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started")
    });
    let commands: Vec<Child> = commands.collect();
    for command in commands {
        let output = command.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let renewed = kept(&home, "home");
    assert_ne!(renewed["access_token"], first["access_token"]);
    let refresh = renewed["refresh_token"].as_str().expect("a refresh token");
    assert!(provider.holds(refresh), "no command used one that another had used");
    // What cannot be renewed now holds as long as it holds; an end at the provider is one.
    let mut gone = renewed.clone();
    gone["token_endpoint"] = json!(format!("http://127.0.0.1:{}/token", scene.free_port()));
    std::fs::write(home.file("home.sign-in.json"), gone.to_string()).expect("it can be written");
    assert_eq!(home.run(&["whoami", "--json"]).well().json()["name"], "ada");
    gone["ends_at"] = json!(1);
    std::fs::write(home.file("home.sign-in.json"), gone.to_string()).expect("it can be written");
    home.run(&["whoami"]).failed(4, &["cannot be renewed"]);
    std::fs::write(home.file("home.sign-in.json"), renewed.to_string()).expect("it can be written");
    provider.answer_next("invalid_grant");
    home.run(&["whoami"]).failed(2, &["your sign-in has ended", "sortie login --profile home"]);
    let denied = deny(&hub, &hub.admin_token(), &json!({ "token": kept(&home, "home")["access_token"] })).await;
    assert_eq!(denied.status, 201, "{denied:?}");
    let out = home.run(&["logout"]);
    assert_eq!(out.code, Some(0), "{out:?}");
    assert!(!home.file("home.sign-in.json").exists());
}

async fn a_sign_in_that_is_declined_or_comes_too_late_notes_nothing(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let home = Home::new(&scene);
    let login = Login::begin(&home, &hub, "home");
    provider.refuse(login.user_code());
    login.end().failed(3, &["declined"]);
    let login = Login::begin(&home, &hub, "home");
    provider.answer_next("expired_token");
    login.end().failed(6, &["nobody typed the code in time"]);
    assert!(!home.file("profiles.toml").exists() && !home.file("home.sign-in.json").exists());
    home.run(&["logout"]).failed(2, &["no profile is in use"]);
}

async fn somebody_whom_the_hub_does_not_know_is_told_so_at_once(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    provider.person("leo", &crate::help::claims("guest", Value::Null));
    let hub = start(scene.hub(), &provider).await;
    let home = Home::new(&scene);
    sign_in(&home, &hub, &provider, "leo").failed(3, &["none of your roles"]);
    assert!(!home.file("profiles.toml").exists() && !home.file("home.sign-in.json").exists());
}

async fn a_hub_without_a_provider_and_a_profile_without_a_sign_in_say_what_to_do(scene: Scene) {
    let hub = scene.hub().start().await;
    let home = Home::new(&scene);
    let ca = hub.ca_file().display().to_string();
    let login = |more: &[&str]| home.run(&[&["login"], more].concat());
    login(&["--hub", &hub.url(), "--ca", &ca]).failed(2, &["no identity provider", "sortie profile add"]);
    login(&[]).failed(2, &["no profile `default`", "--hub URL"]);
    login(&["--hub", "http://hub"]).failed(2, &["is not a hub's address"]);
    login(&["--ca", &ca]).failed(2, &["--hub"]);
    let token = hub.data().join("admin.token").display().to_string();
    let note = ["profile", "add", "own", "--hub", &hub.url(), "--token-file", &token, "--ca", &ca];
    home.run(&note).well();
    home.run(&["logout"]).failed(2, &["no sign-in", "sortie token revoke"]);
    login(&["--hub", "https://other.example", "--profile", "own"]).failed(2, &["is of another hub"]);
}

async fn whoever_has_a_password_signs_in_with_it_and_out_again(scene: Scene) {
    let hub = scene.hub().start().await;
    let body = json!({ "name": "anna", "role": "operator", "password": "wild geese over the marsh" });
    let made = hub.request(http::Method::POST, "/api/v1/accounts").json(&body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let home = Home::new(&scene);
    let (url, ca) = (hub.url(), hub.ca_file().display().to_string());
    let login = |password: &str| {
        let mut command = home.command(&["login", "--hub", &url, "--ca", &ca, "--account", "anna"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("{password}\n").as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let wrong = login("wild geese over the march");
    assert_eq!(wrong.status.code(), Some(3), "{wrong:?}");
    assert!(!home.file("profiles.toml").exists(), "nothing is noted");
    let right = login("wild geese over the marsh");
    let told = String::from_utf8_lossy(&right.stderr);
    assert!(right.status.success() && told.contains("Signed in as anna, operator"), "{right:?}");
    let mode = std::fs::metadata(home.file("default.session")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "for its owner only");
    assert_eq!(home.run(&["whoami", "--json"]).well().json()["name"], json!("anna"));
    assert!(home.run(&["logout"]).well().stderr.contains("signed out"));
    assert!(!home.file("default.session").exists());
    assert!(hub.sortie_json(&["session", "list"])["items"].as_array().unwrap().is_empty());
    assert_ne!(home.run(&["whoami"]).code, Some(0), "the next command has nothing to come with");
}
