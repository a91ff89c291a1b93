//! The walk of every route by which somebody does something: each writes one entry, which says who did what.

use http::Method;
use serde_json::{Value, json};
use sortie_wire::operations::Operation;
use stories::{Answer, As, Operator, RunningHub, Scene, on_both_engines, signed_set, signed_statement, statement_of};

use crate::help::{PASSWORD, ask, audit, token};

on_both_engines!(each_act_of_people_stands_in_the_audit_log_once);

const LIST: &str = include_str!("../../openapi/access.txt");

/// Routes that are not asked with GET and do nothing that people answer for, each with the reason.
const NOT_WRITTEN_DOWN: [(&str, &str); 5] = [
    ("POST /api/v1/me/notifications/read", "it says that one has read what was told, and changes nothing for others"),
    ("POST /api/v1/me/notifications/{id}/read", "as above"),
    ("POST /api/v1/jobs/preview", "it says which nodes a job would be for, and begins nothing"),
    ("POST /tasks/{trust_name}/{task_id}/result", "a node reports, as agents do"),
    ("POST /trust/{trust_name}/heartbeat", "a node reports, as agents do"),
];

async fn each_act_of_people_stands_in_the_audit_log_once(scene: Scene) {
    let hub = scene.hub().setting("trust_api", true).start().await;
    let mut walked = 0;
    for line in LIST.lines() {
        let [_, method, path, _, action] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        let route = format!("{method} {path}");
        if path.starts_with("/agent/") || (method == "GET" && action == "-") {
            continue;
        }
        if NOT_WRITTEN_DOWN.iter().any(|(listed, _)| *listed == route) {
            assert_eq!(action, "-", "{route} declares what it does and is listed as one that does nothing");
            continue;
        }
        assert_ne!(
            action, "-",
            "{route} changes something: declare its action with `Routes::does`, write an \
                                 `audit::Act` in its verb, and do it here"
        );
        let Some(answer) = done(&hub, &route).await else { continue };
        assert!(answer.status < 300, "{route}: {answer:?}");
        let id = answer.headers["x-correlation-id"].to_str().unwrap();
        let entries = audit(&hub, "").await;
        let own: Vec<&Value> = entries.iter().filter(|link| link["entry"]["correlation_id"] == id).collect();
        let [link] = own[..] else { panic!("{route} stands in the audit log {} times: {own:?}", own.len()) };
        let entry = &link["entry"];
        assert_eq!((&entry["action"], &entry["outcome"]), (&json!(action), &json!("done")), "{route}: {link}");
        assert_eq!((&entry["address"], entry.get("refused")), (&json!("127.0.0.1"), None), "{link}");
        let actor = &entry["actor"];
        let is_anna = ["session.begin", "account.change_password"].contains(&action) || route.ends_with("auth/logout");
        let by = if is_anna { ("anna", "account") } else { ("admin", "token") };
        assert_eq!((&actor["name"], &actor["by"]), (&json!(by.0), &json!(by.1)), "{link}");
        assert!(!entry.to_string().contains(PASSWORD) && !entry.to_string().contains("sortie_tok_"), "{link}");
        walked += 1;
    }
    assert!(walked >= 25, "the list is there");
    let node = hub.hand_node("late").await;
    let enrolled = &audit(&hub, "action=node.enroll&object=late").await[0]["entry"];
    assert_eq!((&enrolled["object"]["id"], &enrolled["actor"]["by"]), (&json!(node.id), &json!("invite")));
    let first = audit(&hub, "").await.pop().unwrap();
    assert_eq!((&first["number"], &first["entry"]["actor"]["by"]), (&json!(1), &json!("hub")), "it begins so");
}

/// Does what a route of operations is for.
async fn signed(hub: &RunningHub<'_>, path: &str) -> Option<Answer> {
    let ada = Operator::new("ada");
    let proposal = json!({ "type": "sleep", "node": node(hub).await, "payload": { "ms": 0 } });
    Some(match path {
        "/api/v1/operations" => ask(hub, Method::POST, path, &proposal).await,
        "/api/v1/operators" => ask(hub, Method::POST, path, &json!(signed_set(1, 1, &[&ada], &[&ada]))).await,
        _ if path.starts_with("/api/v1/operations/") => {
            let proposed = ask(hub, Method::POST, "/api/v1/operations", &proposal).await.json();
            let operation: Operation = serde_json::from_value(proposed.clone()).unwrap();
            let statement = statement_of(&operation, ada.key(), operation.proposed_at);
            let body = match path.ends_with("/signatures") {
                true => json!(signed_statement(&statement, &[&ada])),
                false => json!({ "reason": "not today" }),
            };
            ask(hub, Method::POST, &path.replace("{id}", proposed["id"].as_str().unwrap()), &body).await
        }
        _ => return None,
    })
}

/// Does what a route is for. Nothing where only a provider's page leads.
async fn done(hub: &RunningHub<'_>, route: &str) -> Option<Answer> {
    let (method, path) = route.split_once(' ').unwrap();
    if let Some(answer) = signed(hub, path).await {
        return Some(answer);
    }
    let method: Method = method.parse().unwrap();
    let noun = path.trim_start_matches("/api/v1/").split('/').next().unwrap();
    let path = match () {
        () if path.starts_with("/api/v1/accounts/") => path.replace("{id}", &account(hub).await),
        () if path.starts_with("/api/v1/invites/") => path.replace("{id}", &made(hub, "invites", invite()).await),
        () if path.starts_with("/api/v1/tokens/") => path.replace("{id}", &token(hub, "gone", "viewer").await.0),
        () if path.starts_with("/api/v1/orgs/") => {
            let name = format!("org-{}", uuid::Uuid::new_v4());
            let org = ask(hub, Method::POST, "/api/v1/orgs", &json!({ "name": name })).await.json();
            path.replace("{id}", org["org"]["id"].as_str().unwrap())
        }
        () if noun == "sessions" => path.replace("{id}", &session(hub).await.1),
        () if noun == "jobs" && path.contains("{id}") => path.replace("{id}", &job(hub, path).await),
        () if noun == "publications" => path.replace("{id}", &publication(hub).await),
        () if noun == "desired" => path.replace("{layer}", "org"),
        () if noun == "secrets" => path.replace("{name}", "wifi"),
        () if noun == "alarm-rules" || noun == "notification-rules" => path.replace("{name}", "own"),
        () if noun == "recipients" => path.replace("{name}", "on-call"),
        () if noun == "maintenance" && path.contains("{id}") => {
            path.replace("{id}", &made(hub, "maintenance", maintenance()).await)
        }
        () if noun == "backup-deadlines" => path.replace("{name}", "nightly"),
        () if noun == "tasks" && path.contains("{id}") => task(hub, path).await,
        () if noun == "nodes" && path.ends_with("/key") => path.replace("{node}", &trust(hub).await),
        () if path.ends_with("{node}/readmit") => {
            hub.hand_node("doubled").await;
            hub.plan().sql("update nodes set quarantined_at = 1 where name = 'doubled'");
            path.replace("{node}", "doubled")
        }
        () if path.ends_with("{node}/revoke") => {
            hub.hand_node("unwanted").await;
            path.replace("{node}", "unwanted")
        }
        () => path.replace("{node}", &node(hub).await).replace("{key}", key_of(path)),
    };
    if route.starts_with("DELETE /api/v1/settings") {
        ask(hub, Method::PUT, &path, &json!({ "value": 901 })).await;
    }
    if route.starts_with("DELETE /api/v1/desired") {
        ask(hub, Method::PUT, &path, &body_of("PUT /api/v1/desired/{layer}/draft").unwrap()).await;
    }
    if route.starts_with("DELETE /api/v1/backup-deadlines") {
        ask(hub, Method::PUT, &path, &body_of("PUT /api/v1/backup-deadlines/{name}").unwrap()).await;
    }
    if route.starts_with("DELETE /api/v1/alarm-rules") {
        ask(hub, Method::PUT, &path, &body_of("PUT /api/v1/alarm-rules/{name}").unwrap()).await;
    }
    if route.starts_with("DELETE /api/v1/notification-rules") {
        ask(hub, Method::PUT, &path, &body_of("PUT /api/v1/notification-rules/{name}").unwrap()).await;
    }
    if route.ends_with("recipients/{name}") || route.ends_with("recipients/{name}/test") {
        let one = path.trim_end_matches("/test");
        ask(hub, Method::PUT, one, &body_of("PUT /api/v1/recipients/{name}").unwrap()).await;
    }
    if route.starts_with("DELETE /api/v1/secrets") {
        ask(hub, Method::PUT, &path, &json!({ "value": PASSWORD })).await;
    }
    if route.starts_with("DELETE /api/v1/sites") {
        ask(hub, Method::PUT, &path, &json!({ "name": "The north" })).await;
    }
    if path.ends_with("keys/finish") {
        ask(hub, Method::POST, "/api/v1/keys/rotate", &json!({ "what": "authority", "from": 1 })).await;
    }
    let request = hub.request(method, &path);
    Some(match body_of(route) {
        _ if route == "GET /auth/callback" => return None,
        Some(body) if path.ends_with("/auth/password") => request.from(session(hub).await.0).json(&body).send().await,
        None if path.ends_with("/auth/logout") => request.from(session(hub).await.0).send().await,
        Some(body) => {
            if path.ends_with("/auth/sign-in") {
                account(hub).await;
            }
            request.json(&body).send().await
        }
        None => request.send().await,
    })
}

fn body_of(route: &str) -> Option<Value> {
    let task = json!({ "type": "sleep", "node": "north", "payload": { "ms": 0 } });
    Some(match route {
        "PATCH /api/v1/accounts/{id}" => json!({ "role": "operator" }),
        "PATCH /api/v1/nodes/{node}" => json!({ "kind": "guest", "labels": { "ring": "1" } }),
        "POST /api/v1/accounts" => json!({ "name": "bela", "role": "viewer", "password": PASSWORD }),
        "POST /api/v1/auth/password" => json!({ "old": PASSWORD, "new": "another flock of geese" }),
        "POST /api/v1/auth/sign-in" => json!({ "name": "anna", "password": "another flock of geese" }),
        "POST /api/v1/denied-tokens" => json!({ "jti": "stolen" }),
        "POST /api/v1/desired/{layer}/publish" => json!({ "message": "why", "state": {} }),
        "POST /api/v1/invites" => invite(),
        "POST /api/v1/jobs" => json!({ "type": "sleep", "payload": { "ms": 0 }, "selector": { "all": true } }),
        "POST /api/v1/nodes" => json!({ "name": "a-trust" }),
        "POST /api/v1/keys/finish" => json!({ "from": 2, "force": true }),
        "POST /api/v1/keys/rotate" => json!({ "what": "delivery", "from": 3 }),
        "POST /api/v1/orgs" => json!({ "name": "elsewhere" }),
        "POST /api/v1/tasks" => task,
        "POST /api/v1/tasks/batch" => json!({ "tasks": [task, task] }),
        "POST /api/v1/tokens" => json!({ "name": "ci", "role": "service" }),
        "POST /api/v1/publications/{id}/stop" | "POST /api/v1/settings/evict" => json!({}),
        "POST /api/v1/maintenance" => maintenance(),
        "PUT /api/v1/alarm-rules/{name}" => json!({ "rule": {
            "severity": "info", "summary": "It is so.", "begins": [{ "kind": "task.failed" }], "lasts_s": 60,
        } }),
        "PUT /api/v1/notification-rules/{name}" => json!({ "rule": { "severity_min": "critical" } }),
        "PUT /api/v1/recipients/{name}" => {
            json!({ "recipient": { "audience": "operator", "mail": "on-call@a.example" } })
        }
        "POST /api/v1/recipients/{name}/test" => json!({}),
        "PUT /api/v1/backup-deadlines/{name}" => json!({
            "selector": { "all": true }, "target": "home", "by": "06:00", "time_zone": "UTC",
        }),
        "PUT /api/v1/desired/{layer}/draft" => json!({ "state": {}, "based_on": 0, "version": 0 }),
        "PUT /api/v1/secrets/{name}" => json!({ "value": PASSWORD }),
        "PUT /api/v1/settings/{key}" => json!({ "value": 900 }),
        "PUT /api/v1/sites/{key}" => json!({ "name": "The north" }),
        _ => return None,
    })
}

fn key_of(path: &str) -> &'static str {
    if path.contains("/settings/") { "terminal.session_max_ttl_seconds" } else { "north" }
}

fn maintenance() -> Value {
    json!({ "reason": "new disks", "selector": { "all": true }, "lasts": 60_000 })
}

fn invite() -> Value {
    json!({ "node": format!("box-{}", uuid::Uuid::new_v4()) })
}

/// Makes one, and gives its id.
async fn made(hub: &RunningHub<'_>, noun: &str, body: Value) -> String {
    let answer = ask(hub, Method::POST, &format!("/api/v1/{noun}"), &body).await.json();
    let details = if answer["details"].is_object() { &answer["details"] } else { &answer };
    details["id"].as_str().unwrap_or_else(|| panic!("no id: {answer}")).to_owned()
}

/// The account `anna`, with the password that it has at that time.
async fn account(hub: &RunningHub<'_>) -> String {
    let listed = ask(hub, Method::GET, "/api/v1/accounts", &Value::Null).await.json();
    let there = listed["items"].as_array().unwrap().iter().find(|account| account["name"] == "anna").cloned();
    match there {
        Some(account) => account["id"].as_str().unwrap().to_owned(),
        None => made(hub, "accounts", json!({ "name": "anna", "role": "viewer", "password": PASSWORD })).await,
    }
}

/// Anna's session, whichever password she has by now: its token, and its id.
async fn session(hub: &RunningHub<'_>) -> (As, String) {
    account(hub).await;
    for password in [PASSWORD, "another flock of geese"] {
        let body = json!({ "name": "anna", "password": password, "as_token": true });
        let request = hub.request(Method::POST, "/api/v1/auth/sign-in").from(As::Nobody).json(&body);
        let answer = request.send().await;
        if answer.status == 200 {
            let answer = answer.json();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            return (As::Token(text(&answer["token"])), text(&answer["session"]["id"]));
        }
    }
    panic!("anna cannot sign in");
}

/// The node `north`.
async fn node(hub: &RunningHub<'_>) -> String {
    if hub.request(Method::GET, "/api/v1/nodes/north").send().await.status == 404 {
        hub.hand_node("north").await;
    }
    "north".to_owned()
}

async fn trust(hub: &RunningHub<'_>) -> String {
    let name = format!("trust-{}", uuid::Uuid::new_v4());
    ask(hub, Method::POST, "/api/v1/nodes", &json!({ "name": name })).await;
    name
}

/// A job in a state from which the path leads on.
async fn job(hub: &RunningHub<'_>, path: &str) -> String {
    hub.hand_node(&format!("busy-{}", uuid::Uuid::new_v4())).await;
    let job = made(hub, "jobs", body_of("POST /api/v1/jobs").unwrap()).await;
    if path.ends_with("/resume") {
        ask(hub, Method::POST, &format!("/api/v1/jobs/{job}/pause"), &Value::Null).await;
    }
    job
}

/// A publication that is going out: one node has it, and says nothing.
async fn publication(hub: &RunningHub<'_>) -> String {
    let node = hub.hand_node(&format!("slow-{}", uuid::Uuid::new_v4())).await;
    node.wait(1, 0).await;
    made(hub, "desired/org/publish", json!({ "message": "slowly", "state": {}, "at_a_time": 1 })).await
}

/// The path to a task in a state from which it leads on.
async fn task(hub: &RunningHub<'_>, path: &str) -> String {
    let node = hub.hand_node(&format!("worker-{}", uuid::Uuid::new_v4())).await;
    let name = ask(hub, Method::GET, &format!("/api/v1/nodes/{}", node.id), &Value::Null).await.json();
    let id = hub.submit(name["name"].as_str().unwrap(), "sleep", json!({ "ms": 0 })).await;
    if path.ends_with("/requeue") {
        ask(hub, Method::POST, &format!("/api/v1/tasks/{id}/cancel"), &Value::Null).await;
    }
    if path.ends_with("/retry") {
        let org = hub.people().whoami().await.unwrap().org;
        hub.plan().sql(&format!(
            "insert into post_steps (task, run, name, item, org, kind, status, tries, since, finished_at)
             values ('{id}', 1, 'mail', 0, '{org}', 'mail', 'failed', 9, 1, 2)"
        ));
    }
    path.replace("{id}", &id.to_string()).replace("{name}", "mail")
}
