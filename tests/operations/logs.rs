//! Logs: for people and for programs, findable by correlation id, and without any secret.

use std::path::Path;

use http::Method;
use serde_json::{Value, json};
use stories::{As, Ended, Engine, Lets, Program, Scene, WebProxy, on_sqlite, until};

on_sqlite!(
    a_json_log_is_one_object_per_line,
    a_refused_request_is_found_by_its_correlation_id,
    a_level_that_is_none_is_refused,
);

async fn a_json_log_is_one_object_per_line(scene: Scene) {
    let hub = scene.hub().setting("log_format", "json").start().await;
    let site = hub.site("north").await.setting("log_format", "json");
    let agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    hub.ended(id).await;
    agent.stop().await;
    let (hub_log, agent_log) = (hub.log(), site.log());
    for log in [hub_log, agent_log] {
        assert!(log.lines().count() > 0);
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            for key in ["timestamp", "level", "message"] {
                assert!(line.get(key).is_some(), "{key}: {line}");
            }
        }
    }
}

async fn a_refused_request_is_found_by_its_correlation_id(scene: Scene) {
    for (name, format) in [("text", "text"), ("json", "json")] {
        let plan = scene.hub_named(name).setting("log_format", format).variable("SORTIE_LOG", "debug");
        let hub = plan.start().await;
        let refused = hub.request(Method::GET, "/api/v1/nodes/nobody").send().await;
        let id = refused.headers["x-correlation-id"].to_str().unwrap().to_owned();
        assert_eq!(refused.problem().instance.as_deref(), Some(id.as_str()));
        let line = until("it is logged", async || {
            hub.log().lines().find(|line| line.contains(&id) && line.contains("Refused")).map(str::to_owned)
        })
        .await;
        assert!(line.contains("unknown_node") && line.contains("/api/v1/nodes/{node}"), "{line}");
        let other = hub.request(Method::GET, "/api/v1/whoami").send().await;
        assert_ne!(other.headers["x-correlation-id"], refused.headers["x-correlation-id"]);
    }
}

async fn a_level_that_is_none_is_refused(scene: Scene) {
    let plan = scene.hub().variable("SORTIE_LOG", "sortie_hub=loud");
    let said = crate::data_folder::does_not_start(&plan, 2).await;
    assert!(said.contains("SORTIE_LOG"), "{said}");
}

/// A whole life at the highest level of talk: enrolment through a proxy with a password, tokens, a
/// database with a password, work, refusals, a stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_log_of_a_whole_life_holds_a_secret() {
    let scene = Scene::new(Engine::Postgres);
    let url = scene.postgres().unwrap().fresh_database().replace("postgres@", "postgres:database-sesame@");
    let plan = scene.hub().setting("database_url", &url).variable("SORTIE_LOG", "trace");
    let hub = plan.start().await;
    let proxy = WebProxy::start(Lets::WithPassword).await;
    let invite = hub.invite("north").await;
    let site = stories::Site::new(&scene, "north").setting("log_level", "trace");
    let site = site.setting("proxy.url", "environment").variable("HTTPS_PROXY", proxy.url_with_password());
    let enrolled = site.enroll(&invite);
    let agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    hub.ended(id).await;
    let token = hub.request(Method::POST, "/api/v1/tokens").json(&json!({ "name": "ci", "role": "viewer" }));
    let token = token.send().await.json()["token"].as_str().expect("a token is shown once").to_owned();
    hub.people_as(&token).whoami().await.unwrap();
    let wrong = format!("{}x", token);
    hub.request(Method::GET, "/api/v1/whoami").from(As::Token(wrong.clone())).send().await;
    let mut doctor = Program::Sortie.command();
    let doctor =
        Ended::of(doctor.args(["doctor", "--data"]).arg(site.data()).env("HTTPS_PROXY", proxy.url_with_password()));
    agent.stop().await;
    let (admin, data) = (hub.admin_token(), hub.data());
    let (plan, _) = hub.stop().await;
    let talk = [&enrolled.stdout, &enrolled.stderr, &doctor.stdout, &doctor.stderr].map(String::clone).concat();
    let log = |name: &str| std::fs::read_to_string(scene.log(name)).unwrap();
    let all = [log("hub"), log("north"), talk].concat();
    assert!(all.contains("a run begins") && all.contains("correlation_id"), "it is talkative");
    let secrets = [&admin, &token, &wrong, &invite].map(|secret| tail(secret));
    for secret in secrets.iter().map(String::as_str).chain(["database-sesame", WebProxy::PASSWORD]) {
        assert!(!all.contains(secret), "{secret} stands in a log");
    }
    for key in private_lines(&data.join("keys")).into_iter().chain(private_lines(&site.data().join("identity"))) {
        assert!(!all.contains(&key), "a private key stands in a log");
    }
    drop(plan);
}

/// The part of a token or an invite that is secret.
fn tail(secret: &str) -> String {
    secret[secret.len() - 24..].to_owned()
}

/// Lines of private keys in PEM below a folder.
fn private_lines(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let texts = files.filter_map(|file| std::fs::read_to_string(file).ok());
    let keys = texts.filter(|text| text.contains("PRIVATE KEY"));
    keys.flat_map(|text| text.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.len() > 20)
        .collect()
}
