//! Signing out: void here at once, and revoked at the provider.

use counterparts::OidcPlan;
use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::{MalformedBody, NotSignedIn, Unauthenticated};
use sortie_wire::sign_in::LoggedOut;
use stories::{As, Request, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{provider, sign_in_on_a_device, start, whoami};

on_both_engines!(whoever_signs_out_is_nobody_here_and_at_the_provider);
on_sqlite!(
    a_provider_that_is_away_cannot_keep_anybody_in,
    an_api_token_does_not_sign_out,
    the_hub_says_with_whom_to_sign_in,
);

fn log_out(hub: &RunningHub<'_>, token: &str) -> Request {
    hub.request(Method::POST, "/api/v1/auth/logout").from(As::Token(token.to_owned()))
}

async fn whoever_signs_out_is_nobody_here_and_at_the_provider(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let (access, refresh) = sign_in_on_a_device(&provider, "vic").await;
    assert_eq!(whoami(&hub, &access).await.status, 200);
    assert!(provider.holds(&refresh));
    let answer = log_out(&hub, &access).json(&json!({ "refresh_token": refresh })).send().await;
    let out: LoggedOut = serde_json::from_value(answer.json()).expect("it has its shape");
    assert!(out.provider_told, "{out:?}");
    assert!(!provider.holds(&refresh), "the provider says so itself");
    whoami(&hub, &access).await.is_problem(Unauthenticated, None);
    log_out(&hub, &access).send().await.is_problem(Unauthenticated, None);
    let events = hub.events("token.denied").await;
    assert_eq!((events.len(), events[0].actor.as_str()), (1, "vic"));
    // Without the refresh token; this provider does not revoke what it signed.
    let (access, refresh) = sign_in_on_a_device(&provider, "vic").await;
    let answer = log_out(&hub, &access).send().await.json();
    assert!(answer["detail"].as_str().unwrap().contains("end by themselves"), "{answer}");
    assert!(provider.holds(&refresh));
    whoami(&hub, &access).await.is_problem(Unauthenticated, None);
    assert!(!hub.log().contains(&refresh));
}

async fn a_provider_that_is_away_cannot_keep_anybody_in(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let token = provider.token("ada");
    assert_eq!(whoami(&hub, &token).await.status, 200);
    drop(provider);
    let out = log_out(&hub, &token).send().await;
    assert_eq!((out.status, &out.json()["provider_told"]), (200, &json!(false)), "{out:?}");
    whoami(&hub, &token).await.is_problem(Unauthenticated, None);
}

async fn an_api_token_does_not_sign_out(scene: Scene) {
    let hub = scene.hub().start().await;
    let refused = log_out(&hub, &hub.admin_token()).send().await.is_problem(NotSignedIn, None);
    assert!(refused.detail.contains("sortie token revoke"), "{refused:?}");
    let odd = log_out(&hub, &hub.admin_token()).json(&json!({ "colour": "red" })).send().await;
    odd.is_problem(MalformedBody, Some("/colour"));
    assert_eq!(whoami(&hub, &hub.admin_token()).await.status, 200);
}

async fn the_hub_says_with_whom_to_sign_in(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let with = async |hub: &RunningHub<'_>| {
        hub.request(Method::GET, "/api/v1/auth/provider").from(As::Nobody).send().await.json()
    };
    let issuer = provider.issuer();
    let all = json!({ "provider": {
        "issuer": issuer, "client_id": "sortie", "scopes": "openid profile email",
        "token_endpoint": format!("{issuer}/token"), "device_authorization_endpoint": format!("{issuer}/device/auth"),
    } });
    assert_eq!(with(&hub).await, all);
    let alone = scene.hub_named("alone").start().await;
    assert_eq!(with(&alone).await, json!({}));
    let refused = whoami(&alone, &provider.token("ada")).await.is_problem(Unauthenticated, None);
    assert!(refused.detail.contains("sortie_tok_"), "{refused:?}");
}
