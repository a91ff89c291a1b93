//! The walk of every route as the administrator of another org: nothing of ours is read, changed or even
//! known to be there.

use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode;
use stories::{As, Scene, on_both_engines};

use crate::help::account;

on_both_engines!(an_administrator_of_another_org_finds_nothing_of_ours);

const LIST: &str = include_str!("../../openapi/access.txt");

/// What stands under a key. Others make it if it is not there, or know no such setting.
const ONE_SITE: &str = "/api/v1/sites/{key}";

async fn an_administrator_of_another_org_finds_nothing_of_ours(scene: Scene) {
    let hub = scene.hub().setting("trust_api", true).start().await;
    let stranger = hub.sortie(&["org", "create", "elsewhere"]).well().stdout.trim().to_owned();
    // One of everything that is ours.
    let node = hub.hand_node("north-of-ours").await;
    let task = hub.submit("north-of-ours", "sleep", json!({ "ms": 0 })).await.to_string();
    let job = hub.sortie(&["job", "run", "sleep", "--payload", "{\"ms\":0}", "--all"]).well().stdout.trim().to_owned();
    let invite = hub.sortie_json(&["invite", "create", "--node", "south-of-ours"]);
    let invite = invite["id"].as_str().or(invite["details"]["id"].as_str()).expect("an id").to_owned();
    let token = hub.sortie_json(&["token", "create", "--name", "ours", "--role", "viewer"]);
    let token = token["details"]["id"].as_str().unwrap().to_owned();
    let anna = account(&hub, "anna-of-ours", "viewer").await["id"].as_str().unwrap().to_owned();
    crate::help::cookie_of(&hub, "anna-of-ours", crate::help::PASSWORD).await;
    let session = hub.sortie_json(&["session", "list"])["items"][0]["id"].as_str().unwrap().to_owned();
    for site in ["site-of-ours", "budapest-of-ours"] {
        hub.sortie(&["site", "put", site]).well();
    }
    let full = json!({
        "kind": "facts", "taken_at": 1, "source": "agent", "facts": { "data_disk": { "used_percent": 99 } },
    });
    assert_eq!(node.request(Method::POST, "/reports").json(&full).send().await.status, 204);
    let alarm = hub.sortie_json(&["alarm", "list"])["items"][0]["id"].as_str().unwrap().to_owned();
    let told = json!({ "recipient": { "audience": "operator", "mail": "mail@of-ours.example", "is_off": true } });
    assert_eq!(hub.request(Method::PUT, "/api/v1/recipients/mail").json(&told).send().await.status, 200);
    let node = node.id.to_string();
    let ours = [&task, &job, &invite, &token, &anna, &session, &alarm, &node].map(String::as_str);
    let before = hub.events("").await.len();
    let mut walked = 0;
    for line in LIST.lines() {
        let [need, method, path, roles, _action] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        // What waits without end, what needs no proof, and what is of nobody's org is for other stories.
        let is_of_an_org = need.contains(':') && roles.contains("admin") && !path.ends_with("/stream");
        if !is_of_an_org || need == "orgs:write" || need == "self:read" {
            continue;
        }
        let id = ["tasks", "jobs", "invites", "tokens", "accounts", "sessions", "alarms"]
            .iter()
            .position(|noun| path.starts_with(&format!("/api/v1/{noun}/{{id}}")))
            .map_or(task.as_str(), |noun| [&task, &job, &invite, &token, &anna, &session, &alarm][noun]);
        let names_one = path.contains('{') && (!path.contains("{key}") || (method, path) == ("DELETE", ONE_SITE));
        let path = path.replace("{id}", id).replace("{node}", "north-of-ours").replace("{name}", "mail");
        let path = path.replace("{key}", "site-of-ours").replace("{layer}", "node:north-of-ours");
        let path = path.replace("{revision}", "1");
        let request = hub.request(method.parse::<Method>().unwrap(), &path).from(As::Token(stranger.clone()));
        let answer = if method == "GET" { request } else { request.json(&json!({})) }.send().await;
        let told = ours.iter().chain(&["of-ours"]).find(|mine| answer.body.contains(**mine) && !path.contains(**mine));
        assert_eq!(told, None, "{method} {path} tells of what is ours: {answer:?}");
        if names_one {
            assert!(matches!(answer.status, 404 | 422 | 400), "{method} {path}: {answer:?}");
            assert!(answer.status == 404 || method != "GET", "{method} {path}: {answer:?}");
        }
        walked += 1;
    }
    assert!(walked >= 25, "the list is there");
    // Nor is any of our sites offered to whoever mistypes one.
    for path in ["/api/v1/desired/site:budapset-of-ours", "/api/v1/sites/budapset-of-ours"] {
        let told = hub.request(Method::GET, path).from(As::Token(stranger.clone())).send().await;
        let told = told.is_problem(ProblemCode::UnknownSite, None);
        assert!(!told.detail.contains("budapest"), "{told:?}");
    }
    assert_eq!(hub.events("").await.len(), before, "nothing of ours has changed");
}
