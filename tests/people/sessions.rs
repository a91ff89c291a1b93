//! Sessions of the console: what a cookie is good for, and from which pages.

use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::{CrossSite, Unauthenticated};
use stories::{As, RunningHub, Scene, on_both_engines, on_sqlite, until};

use crate::help::{PASSWORD, account, as_browser, cookie_of, set_cookie, sign_in, status_with};

on_both_engines!(
    a_session_s_secret_is_replaced_and_the_old_one_betrays_a_thief,
    a_new_secret_that_never_arrived_is_replaced_again,
);
on_sqlite!(
    a_new_secret_arrives_with_a_refusal_too,
    a_session_that_nobody_uses_ends,
    a_session_ends_at_its_time_however_busy_it_is,
    a_page_of_another_site_cannot_act_with_the_cookie,
    a_cookie_that_is_none_is_refused,
    a_token_beside_a_cookie_is_what_counts,
    every_answer_forbids_what_a_page_does_not_need,
);

/// Asks until the answer brings another cookie.
async fn renewed(hub: &RunningHub<'_>, cookie: &str) -> String {
    until("the cookie is replaced", async || {
        set_cookie(&as_browser(hub, cookie, Method::GET, "/api/v1/whoami").send().await)
    })
    .await
}

async fn a_session_s_secret_is_replaced_and_the_old_one_betrays_a_thief(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "viewer").await;
    hub.sortie(&["settings", "set", "sessions.rotate_seconds", "1"]).well();
    let first = cookie_of(&hub, "anna", PASSWORD).await;
    let second = renewed(&hub, &first).await;
    assert_ne!(first, second);
    assert_eq!(status_with(&hub, &first).await, 200, "a request that was under way is not turned away");
    assert_eq!(status_with(&hub, &second).await, 200);
    // What is no secret of it at all changes nothing of what is known of it.
    let (id, _) = first.split_once('.').unwrap();
    assert_eq!(status_with(&hub, &format!("{id}.nonsense")).await, 401);
    // Whoever still has the first one later is not the one who got the second.
    let betrayed = async || (status_with(&hub, &first).await == 401).then_some(());
    until("the old secret is refused", betrayed).await;
    assert_eq!(status_with(&hub, &second).await, 401, "nobody can say which of the two is the thief");
    let ended = hub.events("session.ended").await;
    assert_eq!((ended.len(), &ended[0].data["reason"]), (1, &json!("secret_reused")));
}

async fn a_new_secret_that_never_arrived_is_replaced_again(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "viewer").await;
    hub.sortie(&["settings", "set", "sessions.rotate_seconds", "1"]).well();
    let first = cookie_of(&hub, "anna", PASSWORD).await;
    // The answer gets lost: the browser goes on with what it has, and is given another.
    let _lost = renewed(&hub, &first).await;
    let third = renewed(&hub, &first).await;
    assert_eq!(status_with(&hub, &third).await, 200);
    assert!(hub.events("session.ended").await.is_empty());
}

async fn a_new_secret_arrives_with_a_refusal_too(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "viewer").await;
    hub.sortie(&["settings", "set", "sessions.rotate_seconds", "1"]).well();
    let first = cookie_of(&hub, "anna", PASSWORD).await;
    let second = until("the cookie is replaced", async || {
        let refused = as_browser(&hub, &first, Method::GET, "/api/v1/tokens").send().await;
        assert_eq!(refused.status, 403, "{refused:?}");
        set_cookie(&refused)
    })
    .await;
    assert_eq!(status_with(&hub, &second).await, 200);
}

async fn a_session_that_nobody_uses_ends(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "viewer").await;
    hub.sortie(&["settings", "set", "sessions.idle_seconds", "5"]).well();
    let (idle, busy) = (cookie_of(&hub, "anna", PASSWORD).await, cookie_of(&hub, "anna", PASSWORD).await);
    // A stream asks for its session again and again, but it is no use of it.
    let mut stream = crate::help::stream(&hub, &format!("cookie: {idle}"), "idle").await;
    until("the stream of the idle session ends", async || {
        assert_eq!(status_with(&hub, &busy).await, 200, "the other one is used");
        stream.ended().map(drop)
    })
    .await;
    assert_eq!(status_with(&hub, &idle).await, 401);
    assert_eq!(hub.events("session.ended").await[0].data["reason"], json!("timed_out"));
}

async fn a_session_ends_at_its_time_however_busy_it_is(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "viewer").await;
    hub.sortie(&["settings", "set", "sessions.absolute_seconds", "300"]).well();
    let signed_in = sign_in(&hub, "anna", PASSWORD).await.json()["session"].clone();
    let life = signed_in["ends_at"].as_i64().unwrap() - signed_in["created_at"].as_i64().unwrap();
    assert_eq!(life, 300_000, "what the org has chosen");
}

async fn a_page_of_another_site_cannot_act_with_the_cookie(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "operator").await;
    let cookie = cookie_of(&hub, "anna", PASSWORD).await;
    let put = |headers: &[(&str, &str)]| {
        let request = hub.request(Method::PUT, "/api/v1/sites/homes").from(As::Nobody).header("cookie", &cookie);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        request.json(&json!({ "name": "Homes" })).send()
    };
    let own = hub.url();
    for headers in [
        &[("sec-fetch-site", "cross-site"), ("origin", own.as_str())][..],
        &[("sec-fetch-site", "same-site"), ("origin", own.as_str())],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ] {
        put(headers).await.is_problem(CrossSite, None);
    }
    assert!(hub.events("site").await.is_empty(), "and nothing was changed");
    assert_eq!(put(&[("sec-fetch-site", "same-origin")]).await.status, 200);
    assert_eq!(put(&[("origin", own.as_str())]).await.status, 200, "an older browser says its origin alone");
    // Signing in needs a body that no form of another site can send.
    let form = hub.request(Method::POST, "/api/v1/auth/sign-in").from(As::Nobody);
    let form = form.body("text/plain", json!({ "name": "anna", "password": PASSWORD }).to_string());
    assert_eq!(form.send().await.status, 415);
}

async fn a_cookie_that_is_none_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "operator").await;
    let cookie = cookie_of(&hub, "anna", PASSWORD).await;
    let (name, value) = cookie.split_once('=').unwrap();
    let (id, secret) = value.split_once('.').unwrap();
    for value in [
        format!("{id}.{}", secret.to_lowercase()),
        format!("01980c5e-7d1a-7c3e-9b7e-0123456789ab.{secret}"),
        format!("{id}."),
        id.to_owned(),
        String::new(),
    ] {
        let answer = as_browser(&hub, &format!("{name}={value}"), Method::GET, "/api/v1/whoami").send().await;
        answer.is_problem(Unauthenticated, None);
    }
    assert_eq!(status_with(&hub, &format!("theme=dark; {cookie}; lang=hu")).await, 200);
}

async fn a_token_beside_a_cookie_is_what_counts(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "viewer").await;
    let cookie = cookie_of(&hub, "anna", PASSWORD).await;
    let both = hub.request(Method::GET, "/api/v1/whoami").header("cookie", &cookie).send().await;
    assert_eq!(both.json()["name"], json!("admin"));
    let wrong = hub.request(Method::GET, "/api/v1/whoami").from(As::Token("sortie_tok_x".to_owned()));
    wrong.header("cookie", &cookie).send().await.is_problem(Unauthenticated, None);
}

async fn every_answer_forbids_what_a_page_does_not_need(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "viewer").await;
    let plain = hub.request(Method::GET, "/api/v1/whoami").send().await;
    let refused = hub.request(Method::GET, "/api/v1/nothing").from(As::Nobody).send().await;
    let signed_in = sign_in(&hub, "anna", PASSWORD).await;
    let page = hub.request(Method::GET, "/api/docs").from(As::Nobody).send().await;
    for answer in [&plain, &refused, &signed_in, &page] {
        let text = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert!(text("content-security-policy").contains("default-src 'none'"), "{answer:?}");
        assert!(text("content-security-policy").contains("frame-ancestors 'none'"), "{answer:?}");
        assert_eq!((text("x-content-type-options"), text("referrer-policy")), ("nosniff", "no-referrer"), "{answer:?}");
    }
    assert!([plain, refused, signed_in].iter().all(|answer| answer.headers["cache-control"] == "no-store"));
}
