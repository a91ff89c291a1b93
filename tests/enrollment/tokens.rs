//! The tokens of people and programs: what each may do, for how long, and how they are told apart.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use sortie_rules::access::Role;
use sortie_wire::problem::ProblemCode::{
    FieldInvalid, IdempotencyKeyReused, MalformedBody, Unauthenticated, UnknownToken,
};
use sortie_wire::tokens::CreatedToken;
use stories::{Answer, As, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::passed;

on_both_engines!(
    a_token_is_who_and_what_it_was_made_for,
    a_revoked_token_ends_at_once_and_for_good,
    a_request_for_a_token_that_is_repeated_is_answered_with_the_same_token,
);
on_sqlite!(
    a_token_s_last_use_is_seen_at_once_and_outlives_the_hub,
    an_expired_token_is_refused,
    what_is_no_token_is_refused_and_nobody_learns_why,
    a_token_for_something_that_cannot_be_is_refused_with_the_place,
);

/// Makes a token with these fields.
pub(crate) async fn make(hub: &RunningHub<'_>, fields: Value) -> CreatedToken {
    let answer = hub.request(Method::POST, "/api/v1/tokens").json(&fields).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
    serde_json::from_value(answer.json()).expect("it is a token")
}

async fn a_token_is_who_and_what_it_was_made_for(scene: Scene) {
    let hub = scene.hub().start().await;
    for (role, word) in [(Role::Viewer, "viewer"), (Role::Operator, "operator"), (Role::Admin, "admin")] {
        let made = make(&hub, json!({ "name": format!("the {word}"), "role": word, "valid_for": 3_600_000 })).await;
        assert!(made.token.starts_with("sortie_tok_"), "found by those who search for leaked ones");
        let hour = made.details.expires_at.unwrap().since(made.details.created_at);
        assert_eq!((hour.0, made.details.created_by.as_str()), (3_600_000, "admin"));
        let who = hub.people_as(&made.token).whoami().await.unwrap();
        assert_eq!((who.name, who.role), (format!("the {word}"), role));
    }
    let listed: Vec<String> = hub.people().tokens().await.unwrap().items.into_iter().map(|token| token.name).collect();
    assert_eq!(listed, ["the admin", "the operator", "the viewer", "admin"], "newest first");
    // What somebody did stands under their name.
    let operator = make(&hub, json!({ "name": "ops", "role": "operator" })).await;
    let site = sortie_wire::nodes::PutSite { name: "Homes".to_owned() };
    hub.people_as(&operator.token).put_site("homes", &site).await.unwrap();
    assert_eq!(hub.events("site").await[0].actor, "ops");
}

async fn a_token_s_last_use_is_seen_at_once_and_outlives_the_hub(scene: Scene) {
    let hub = scene.hub().start().await;
    let made = make(&hub, json!({ "name": "ci", "role": "viewer" })).await;
    assert_eq!(made.details.last_used_at, None);
    hub.people_as(&made.token).whoami().await.unwrap();
    let used = hub.people().tokens().await.unwrap().items.remove(0).last_used_at;
    assert!(used.is_some_and(|at| at >= made.details.created_at), "{used:?}");
    let (plan, _status) = hub.stop().await;
    let hub = plan.start().await;
    assert_eq!(hub.people().tokens().await.unwrap().items.remove(0).last_used_at, used);
}

async fn a_revoked_token_ends_at_once_and_for_good(scene: Scene) {
    let hub = scene.hub().start().await;
    let made = make(&hub, json!({ "name": "ci", "role": "admin" })).await;
    let ci = hub.people_as(&made.token);
    ci.whoami().await.unwrap();
    let revoked = hub.people().revoke_token(made.details.id).await.unwrap();
    // On the connection that was open, and on another.
    assert_eq!(ci.whoami().await.unwrap_err().problem().unwrap().code, Unauthenticated);
    whoami(&hub, As::Token(made.token.clone())).await.is_problem(Unauthenticated, None);
    assert_eq!(hub.people().revoke_token(made.details.id).await.unwrap(), revoked, "twice is once");
    assert_eq!(hub.events("token.revoked").await.len(), 1);
    let hub = hub.kill().await.start().await;
    whoami(&hub, As::Token(made.token)).await.is_problem(Unauthenticated, None);
    let unknown = hub.request(Method::POST, "/api/v1/tokens/01980c5e-7d1a-7c3e-9b7e-0123456789ab/revoke");
    unknown.send().await.is_problem(UnknownToken, None);
}

async fn a_request_for_a_token_that_is_repeated_is_answered_with_the_same_token(scene: Scene) {
    let hub = scene.hub().start().await;
    let ask = |token: String, fields: Value| {
        let request = hub.request(Method::POST, "/api/v1/tokens").from(As::Token(token));
        request.header("idempotency-key", "once").json(&fields).send()
    };
    let fields = json!({ "name": "ci", "role": "admin" });
    let answers = join_all((0..8).map(|_| ask(hub.admin_token(), fields.clone()))).await;
    let first = answers[0].json();
    assert!(
        answers.iter().all(|answer| answer.status == 201 && answer.json()["token"] == first["token"]),
        "{answers:?}"
    );
    let ci = first["token"].as_str().unwrap().to_owned();
    assert_eq!(hub.people_as(&ci).whoami().await.unwrap().name, "ci");
    assert_eq!(hub.people().tokens().await.unwrap().items.len(), 2, "it was made once, beside the administrator's");
    let other = ask(hub.admin_token(), json!({ "name": "ci", "role": "viewer" })).await;
    other.is_problem(IdempotencyKeyReused, None);
    let its_own = ask(ci.clone(), fields.clone()).await;
    assert_ne!(its_own.json()["token"], first["token"], "keys are their owner's");
    let hub = hub.kill().await.start().await;
    let later = hub.request(Method::POST, "/api/v1/tokens").header("idempotency-key", "once").json(&fields);
    assert_eq!(later.send().await.json()["token"], first["token"]);
}

async fn an_expired_token_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let made = make(&hub, json!({ "name": "ci", "role": "viewer", "valid_for": 1 })).await;
    passed(&hub.people(), made.details.expires_at.unwrap().0).await;
    whoami(&hub, As::Token(made.token)).await.is_problem(Unauthenticated, None);
}

async fn what_is_no_token_is_refused_and_nobody_learns_why(scene: Scene) {
    let (hub, other) = (scene.hub().start().await, scene.hub_named("other").start().await);
    let (good, made) = (hub.admin_token(), make(&hub, json!({ "name": "ci", "role": "admin" })).await);
    hub.people().revoke_token(made.details.id).await.unwrap();
    let (id, secret) = good.trim_start_matches("sortie_tok_").split_once('.').unwrap();
    let other_secret = made.token.split_once('.').unwrap().1;
    let unknown_id = format!("sortie_tok_01980c5e-7d1a-7c3e-9b7e-0123456789ab.{secret}");
    let mut details = std::collections::BTreeSet::new();
    for token in [&made.token, &other.admin_token(), &unknown_id, &format!("sortie_tok_{id}.{other_secret}")] {
        let refused = whoami(&hub, As::Token(token.clone())).await.is_problem(Unauthenticated, None);
        details.insert(refused.detail);
    }
    assert_eq!(details.len(), 1, "revoked, of another hub, never made, with another secret: one sentence: {details:?}");
    for header in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer{good}"),
        format!("Basic {good}"),
        format!("Invite {good}"),
        good.clone(),
        format!("Bearer {}", &good[..good.len() - 1]),
        format!("Bearer {good}x"),
        format!("Bearer {good} {good}"),
        format!("Bearer {}", good.to_uppercase()),
        format!("Bearer {id}.{secret}"),
        format!("Bearer sortie_tok_{id}"),
        format!("Bearer sortie_tok_{id}."),
        format!("Bearer sortie_tok_.{secret}"),
        format!("Bearer {}", "x".repeat(10_000)),
    ] {
        let request = hub.request(Method::GET, "/api/v1/whoami").from(As::Nobody).header("authorization", &header);
        let refused = request.send().await.is_problem(Unauthenticated, None);
        assert!(!refused.detail.contains(secret), "{refused:?}");
    }
    whoami(&hub, As::Nobody).await.is_problem(Unauthenticated, None);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = hub.request(Method::GET, "/api/v1/whoami").from(As::Nobody);
        assert_eq!(request.header("authorization", &format!("{scheme} {good}")).send().await.status, 200, "{scheme}");
    }
}

async fn a_token_for_something_that_cannot_be_is_refused_with_the_place(scene: Scene) {
    let hub = scene.hub().start().await;
    for (fields, code, pointer) in [
        (json!({ "name": "", "role": "viewer" }), FieldInvalid, "/name"),
        (json!({ "name": "n".repeat(101), "role": "viewer" }), FieldInvalid, "/name"),
        (json!({ "name": "a\u{1b}[2J", "role": "viewer" }), FieldInvalid, "/name"),
        (json!({ "name": "ci", "role": "viewer", "valid_for": 0 }), FieldInvalid, "/valid_for"),
        (json!({ "name": "ci", "role": "viewer", "valid_for": -5 }), FieldInvalid, "/valid_for"),
        (json!({ "name": "ci", "role": "root" }), MalformedBody, "/role"),
        (json!({ "name": "ci" }), MalformedBody, ""),
        (json!({ "name": "ci", "role": "viewer", "org": "other" }), MalformedBody, "/org"),
    ] {
        let refused = hub.request(Method::POST, "/api/v1/tokens").json(&fields).send().await;
        refused.is_problem(code, Some(pointer));
    }
    assert_eq!(hub.people().tokens().await.unwrap().items.len(), 1, "the administrator's alone");
    let endless = make(&hub, json!({ "name": "ci", "role": "viewer", "valid_for": i64::MAX })).await;
    hub.people_as(&endless.token).whoami().await.unwrap();
}

async fn whoami(hub: &RunningHub<'_>, who: As) -> Answer {
    hub.request(Method::GET, "/api/v1/whoami").from(who).send().await
}
