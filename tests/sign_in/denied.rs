//! Tokens of the provider that are denied before their time is over.

use counterparts::{Forgery, OidcPlan};
use http::Method;
use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{FieldInvalid, Forbidden, MalformedBody, Unauthenticated};
use stories::{As, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{OTHER_ORG, claims, claims_of, deny, make_other_org, provider, start, whoami};

on_both_engines!(a_denied_token_is_void_at_once_and_for_good);
on_sqlite!(
    a_token_without_an_id_is_denied_by_its_hash,
    an_org_denies_its_own_tokens_only,
    what_cannot_be_denied_is_refused_with_the_place,
    a_denial_is_forgotten_when_the_token_has_ended_by_itself,
);

async fn list(hub: &RunningHub<'_>, token: &str) -> Vec<Value> {
    let request = hub.request(Method::GET, "/api/v1/denied-tokens").from(As::Token(token.to_owned()));
    request.send().await.json()["items"].as_array().expect("a list").clone()
}

async fn a_denied_token_is_void_at_once_and_for_good(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let (ada, stolen, unseen) = (provider.token("ada"), provider.token("ada"), provider.token("vic"));
    assert_eq!(whoami(&hub, &stolen).await.status, 200);
    let answer = deny(&hub, &ada, &json!({ "token": stolen })).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let its = claims_of(&stolen);
    let denied = answer.json();
    assert_eq!((&denied["jti"], &denied["denied_by"]), (&its["jti"], &json!("ada")));
    assert_eq!(denied["expires_at"], json!((its["exp"].as_i64().unwrap() + 60) * 1000), "its end and the leeway");
    whoami(&hub, &stolen).await.is_problem(Unauthenticated, None);
    assert_eq!(whoami(&hub, &ada).await.status, 200, "the person's other tokens hold");
    // One that was never seen here, by its id.
    let jti = claims_of(&unseen)["jti"].clone();
    assert_eq!(deny(&hub, &ada, &json!({ "jti": jti })).await.status, 201);
    whoami(&hub, &unseen).await.is_problem(Unauthenticated, None);
    // Twice is once.
    assert_eq!(deny(&hub, &ada, &json!({ "token": stolen })).await.json(), denied);
    assert_eq!(hub.events("token.denied").await.len(), 2);
    assert_eq!(list(&hub, &ada).await.len(), 2);
    let hub = hub.kill().await.start().await;
    crate::help::knows_the_provider(&hub).await;
    whoami(&hub, &stolen).await.is_problem(Unauthenticated, None);
    whoami(&hub, &unseen).await.is_problem(Unauthenticated, None);
    assert_eq!(whoami(&hub, &ada).await.status, 200);
}

async fn a_token_without_an_id_is_denied_by_its_hash(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let nameless = |sub: &str| provider.forge(&Forgery { claims: json!({ "jti": null }), ..Forgery::of(sub) });
    let (one, other) = (nameless("ada"), nameless("vic"));
    assert_eq!(whoami(&hub, &one).await.status, 200);
    let denied = deny(&hub, &hub.admin_token(), &json!({ "token": one })).await.json();
    assert!(denied["jti"].as_str().unwrap().starts_with("sha256:"), "{denied}");
    whoami(&hub, &one).await.is_problem(Unauthenticated, None);
    assert_eq!(whoami(&hub, &other).await.status, 200);
}

async fn an_org_denies_its_own_tokens_only(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    provider.person("bea", &claims("admin", OTHER_ORG));
    let hub = start(scene.hub(), &provider).await;
    make_other_org(&hub);
    let (ada, bea, vic) = (provider.token("ada"), provider.token("bea"), provider.token("vic"));
    deny(&hub, &bea, &json!({ "token": ada })).await.is_problem(Forbidden, None);
    let by_id = deny(&hub, &bea, &json!({ "jti": claims_of(&ada)["jti"] })).await;
    assert_eq!(by_id.status, 201, "it is a denial among the org's own tokens, of which none has this id");
    assert_eq!(whoami(&hub, &ada).await.status, 200);
    assert_eq!((list(&hub, &ada).await.len(), list(&hub, &bea).await.len()), (0, 1));
    deny(&hub, &vic, &json!({ "token": ada })).await.is_problem(Forbidden, None);
}

async fn what_cannot_be_denied_is_refused_with_the_place(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let ada = provider.token("ada");
    let expired = provider.forge(&Forgery { expires_in: -300, ..Forgery::of("ada") });
    let bad = [
        (json!({}), FieldInvalid, ""),
        (json!({ "jti": "a", "token": ada }), FieldInvalid, ""),
        (json!({ "token": ada, "expires_at": 1 }), FieldInvalid, ""),
        (json!({ "jti": "" }), FieldInvalid, "/jti"),
        (json!({ "jti": "a\n" }), FieldInvalid, "/jti"),
        (json!({ "jti": "j".repeat(256) }), FieldInvalid, "/jti"),
        (json!({ "jti": "a", "expires_at": 1 }), FieldInvalid, "/expires_at"),
        (json!({ "jti": "a", "expires_at": i64::MAX }), FieldInvalid, "/expires_at"),
        (json!({ "token": "a.b.c" }), FieldInvalid, "/token"),
        (json!({ "token": expired }), FieldInvalid, "/token"),
        (json!({ "token": hub.admin_token() }), FieldInvalid, "/token"),
        (json!({ "colour": "red" }), MalformedBody, "/colour"),
    ];
    for (body, code, pointer) in bad {
        deny(&hub, &ada, &body).await.is_problem(code, Some(pointer));
    }
    assert!(list(&hub, &ada).await.is_empty());
    let alone = scene.hub_named("alone").start().await;
    let refused = deny(&alone, &alone.admin_token(), &json!({ "token": ada })).await;
    assert!(refused.is_problem(FieldInvalid, Some("/token")).detail.contains("no identity provider"));
}

async fn a_denial_is_forgotten_when_the_token_has_ended_by_itself(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub().setting("oidc.leeway_s", 0), &provider).await;
    let ada = provider.token("ada");
    let short = provider.forge(&Forgery { expires_in: 6, ..Forgery::of("vic") });
    assert_eq!(deny(&hub, &ada, &json!({ "token": short })).await.status, 201);
    // Old rows go when the hub begins and each minute.
    let end = claims_of(&short)["exp"].as_i64().unwrap() * 1000;
    stories::until("its time is over", async || {
        (hub.people().whoami().await.expect("it answers").now.0 > end).then_some(())
    })
    .await;
    let hub = hub.kill().await.start().await;
    stories::until("it is forgotten", async || list(&hub, &hub.admin_token()).await.is_empty().then_some(())).await;
}
