//! What was refused is written down as well, and changes nothing; and nobody fills the log with it.

use http::Method;
use serde_json::json;
use stories::{As, Scene, on_both_engines, on_sqlite, until};

use crate::help::{PASSWORD, ask, audit, token};

on_both_engines!(
    a_refused_act_changes_nothing_and_stands_in_the_log,
    only_administrators_read_the_log_and_only_that_of_their_org,
);
on_sqlite!(
    whoever_asks_again_and_again_for_what_they_may_not_have_does_not_fill_the_log,
    a_sign_in_that_failed_stands_in_the_log_of_the_account_s_org,
    what_is_refused_for_its_form_is_no_act,
);

async fn a_refused_act_changes_nothing_and_stands_in_the_log(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.hand_node("north").await;
    let (viewer, as_viewer) = token(&hub, "just-looking", "viewer").await;
    let revoke = hub.request(Method::POST, "/api/v1/nodes/north/revoke").from(as_viewer).send().await;
    assert_eq!(revoke.status, 403);
    let node = ask(&hub, Method::GET, "/api/v1/nodes/north", &json!(null)).await.json();
    assert!(node.get("revoked_at").is_none_or(serde_json::Value::is_null), "{node}");
    assert!(hub.events("node.revoked").await.is_empty());
    // Whoever may make tokens makes none that may do more than they.
    let scoped = json!({ "name": "people", "role": "admin", "scopes": ["people:write", "people:read"] });
    let made = ask(&hub, Method::POST, "/api/v1/tokens", &scoped).await.json();
    let scoped = As::Token(made["token"].as_str().unwrap().to_owned());
    let more = json!({ "name": "more", "role": "admin" });
    let raise = hub.request(Method::POST, "/api/v1/tokens").from(scoped).json(&more).send().await;
    assert_eq!(raise.status, 403);
    let refused = audit(&hub, "outcome=refused").await;
    let told: Vec<_> = refused
        .iter()
        .map(|link| {
            let entry = &link["entry"];
            assert_eq!(entry["refused"], json!({ "code": "forbidden", "omitted": 0 }), "{link}");
            (entry["action"].as_str().unwrap(), entry["actor"]["name"].as_str().unwrap())
        })
        .collect();
    assert_eq!(told, [("token.create", "people"), ("node.revoke", "just-looking")]);
    assert_eq!(refused[1]["entry"]["actor"]["key"], json!(format!("token:{viewer}")));
    let id = revoke.headers["x-correlation-id"].to_str().unwrap();
    assert_eq!(refused[1]["entry"]["correlation_id"], json!(id));
}

async fn only_administrators_read_the_log_and_only_that_of_their_org(scene: Scene) {
    let hub = scene.hub().start().await;
    let stranger = hub.sortie(&["org", "create", "elsewhere"]).well().stdout.trim().to_owned();
    for path in ["/api/v1/audit", "/api/v1/audit/head", "/api/v1/audit/export"] {
        for role in ["viewer", "operator", "service"] {
            let (_, reader) = token(&hub, role, role).await;
            let answer = hub.request(Method::GET, path).from(reader).send().await;
            assert_eq!(answer.status, 403, "{role} at {path}");
        }
        let answer = hub.request(Method::GET, path).from(As::Token(stranger.clone())).send().await;
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains("\"viewer\""), "nothing of ours: {answer:?}");
    }
    let answer = hub.request(Method::GET, "/api/v1/audit").from(As::Token(stranger.clone())).send().await.json();
    let [first] = &answer["items"].as_array().unwrap()[..] else { panic!("{answer}") };
    assert_eq!((&first["number"], &first["entry"]["action"]), (&json!(1), &json!("token.create")));
    assert_eq!(first["entry"]["actor"]["name"], json!("admin"), "who made its first administrator");
    // What they do is theirs.
    let site = json!({ "name": "Theirs" });
    let put = hub.request(Method::PUT, "/api/v1/sites/theirs").from(As::Token(stranger)).json(&site).send().await;
    assert_eq!(put.status, 200);
    assert!(audit(&hub, "object=theirs").await.is_empty());
}

async fn whoever_asks_again_and_again_for_what_they_may_not_have_does_not_fill_the_log(scene: Scene) {
    let hub = scene.hub().start().await;
    let (_, viewer) = token(&hub, "insistent", "viewer").await;
    let other = token(&hub, "other", "viewer").await.1;
    let try_as = async |who: &As| {
        let request = hub.request(Method::POST, "/api/v1/nodes/north/revoke").from(who.clone());
        assert_eq!(request.send().await.status, 403);
    };
    for _ in 0..60 {
        try_as(&viewer).await;
    }
    // It would take minutes for more to be written of one caller; what another one tries is written all the same.
    try_as(&other).await;
    let refused = audit(&hub, "outcome=refused&actor=insistent").await;
    assert!((10..=14).contains(&refused.len()), "{} were written", refused.len());
    assert_eq!(audit(&hub, "outcome=refused&actor=other").await.len(), 1);
}

async fn a_sign_in_that_failed_stands_in_the_log_of_the_account_s_org(scene: Scene) {
    let hub = scene.hub().start().await;
    let account = json!({ "name": "anna", "role": "viewer", "password": PASSWORD });
    let account = ask(&hub, Method::POST, "/api/v1/accounts", &account).await.json();
    let sign_in = async |name: &str, password: &str| {
        let body = json!({ "name": name, "password": password });
        hub.request(Method::POST, "/api/v1/auth/sign-in").from(As::Nobody).json(&body).send().await.status
    };
    assert_eq!(sign_in("anna", "wrong geese over the marsh").await, 401);
    assert_eq!(sign_in("nobody-here", PASSWORD).await, 401);
    assert_eq!(sign_in("anna", PASSWORD).await, 200);
    let path = format!("/api/v1/accounts/{}", account["id"].as_str().unwrap());
    ask(&hub, Method::PATCH, &path, &json!({ "disabled": true })).await;
    assert_eq!(sign_in("anna", PASSWORD).await, 401);
    // Nobody waits for these to be written: how long a refusal takes must not tell who has an account.
    let refused = until("both are written", async || {
        let refused = audit(&hub, "action=session.begin&outcome=refused").await;
        (refused.len() == 2).then_some(refused)
    })
    .await;
    let why = |at: usize| &refused[at]["entry"]["changes"]["why"];
    assert_eq!((why(0), why(1)), (&json!("disabled"), &json!("wrong_password")));
    assert!(refused.iter().all(|link| link["entry"]["actor"]["name"] == "anna"));
    assert_eq!(audit(&hub, "action=session.begin&outcome=done").await.len(), 1);
    let log = hub.log();
    assert!(log.contains("wrong_password") && log.contains("unknown_account") && log.contains("anna"), "{log}");
    assert!(!log.contains("nobody-here") && !log.contains("geese"), "neither passwords nor what may be one: {log}");
}

async fn what_is_refused_for_its_form_is_no_act(scene: Scene) {
    let hub = scene.hub().start().await;
    let before = audit(&hub, "").await.len();
    for (method, path, body) in [
        (Method::POST, "/api/v1/tokens", json!({ "name": "", "role": "viewer" })),
        (Method::POST, "/api/v1/tokens", json!({ "colour": "red" })),
        (Method::POST, "/api/v1/tasks", json!({ "type": "sleep", "node": "nowhere" })),
        (Method::POST, "/api/v1/nodes/nowhere/revoke", json!(null)),
        (Method::PUT, "/api/v1/settings/no.such", json!({ "value": 1 })),
    ] {
        let answer = hub.request(method, path).json(&body).send().await;
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
    }
    // And what was done before is not done again.
    let key = |name: &str| {
        hub.request(Method::POST, "/api/v1/tokens")
            .header("idempotency-key", "once")
            .json(&json!({ "name": name, "role": "viewer" }))
    };
    assert_eq!(key("once").send().await.status, 201);
    assert_eq!(key("once").send().await.status, 201);
    assert_eq!(audit(&hub, "").await.len(), before + 1);
}
