//! Tokens of the provider: what they make of their bearer, and every way in which one can be wrong.

use counterparts::{Forgery, OidcPlan};
use http::Method;
use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{Forbidden, Unauthenticated};
use stories::{As, Scene, on_both_engines, on_sqlite};

use crate::help::{
    OTHER_ORG, claims, knows_the_provider, make_other_org, provider, sign_in_on_a_device, start, whoami, with,
};

on_both_engines!(whoever_signs_in_is_somebody_in_their_org_and_sees_no_other);
on_sqlite!(
    a_token_that_does_not_hold_is_refused_with_one_sentence,
    somebody_whom_only_the_provider_knows_is_told_what_is_missing,
    every_way_to_sign_with_a_private_key_is_understood,
    a_token_may_be_late_by_the_leeway_and_no_more,
);

async fn whoever_signs_in_is_somebody_in_their_org_and_sees_no_other(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    provider.person("bea", &claims("admin", OTHER_ORG));
    let hub = start(scene.hub(), &provider).await;
    make_other_org(&hub);
    let north = hub.hand_node("north").await;
    let (ada, _refresh) = sign_in_on_a_device(&provider, "ada").await;
    let (vic, bea) = (provider.token("vic"), provider.token("bea"));
    for (token, name, role) in [(&ada, "ada", "admin"), (&vic, "vic", "viewer"), (&bea, "bea", "admin")] {
        let who = whoami(&hub, token).await.json();
        assert_eq!((who["name"].as_str(), who["role"].as_str()), (Some(name), Some(role)));
        assert_eq!(whoami(&hub, token).await.status, 200, "and again, from memory");
    }
    assert_eq!(whoami(&hub, &bea).await.json()["org"], OTHER_ORG);
    let nodes = async |token: &str| {
        let list = hub.request(Method::GET, "/api/v1/nodes").from(As::Token(token.to_owned())).send().await.json();
        list["items"].as_array().expect("a list").len()
    };
    assert_eq!((nodes(&ada).await, nodes(&vic).await, nodes(&bea).await), (1, 1, 0));
    let its = format!("/api/v1/nodes/{}", north.id);
    assert_eq!(hub.request(Method::GET, &its).from(As::Token(bea)).send().await.status, 404);
    let shut_out = hub.request(Method::POST, "/api/v1/nodes/north/revoke");
    shut_out.clone().from(As::Token(vic)).send().await.is_problem(Forbidden, None);
    assert_eq!(shut_out.from(As::Token(ada)).send().await.status, 200);
    assert_eq!(hub.events("node.revoked").await[0].actor, "ada");
}

async fn a_token_that_does_not_hold_is_refused_with_one_sentence(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let good = provider.forge(&Forgery::of("ada"));
    assert_eq!(whoami(&hub, &good).await.status, 200, "what is changed below is the only thing wrong");
    let ada = || Forgery::of("ada");
    let claim = |claims: Value| provider.forge(&Forgery { claims, ..ada() });
    let header = |header: Value| provider.forge(&Forgery { header, ..ada() });
    let how = |how: &'static str, header: Value| provider.forge(&Forgery { how, header, ..ada() });
    let (head, rest) = good.split_once('.').expect("three parts");
    let (body, signature) = rest.split_once('.').expect("three parts");
    let admins = claim(json!({ "realm_access": { "roles": ["admin"] } }));
    let of_another = admins.split('.').nth(1).expect("three parts");
    let bad = [
        ("expired", provider.forge(&Forgery { expires_in: -61, ..ada() })),
        ("expired long ago", provider.forge(&Forgery { expires_in: -86_400, ..ada() })),
        ("not valid yet", claim(json!({ "nbf_in": 120 }))),
        ("of another issuer", claim(json!({ "iss": "https://id.example" }))),
        ("of an issuer that looks alike", claim(json!({ "iss": format!("{}/", provider.issuer()) }))),
        ("for another audience", claim(json!({ "aud": "https://other.example" }))),
        ("for no audience", claim(json!({ "aud": null }))),
        ("one that says who somebody is", claim(json!({ "typ": "ID" }))),
        ("without an end", claim(json!({ "exp": null }))),
        ("with an end that is no number", claim(json!({ "exp": "tomorrow" }))),
        ("without an issuer", claim(json!({ "iss": null }))),
        ("without a person", claim(json!({ "sub": null }))),
        ("without roles", claim(json!({ "realm_access": null }))),
        ("with roles that are none", claim(json!({ "realm_access": "admin" }))),
        ("unsigned", how("none", json!({ "alg": "none" }))),
        ("unsigned, spelt otherwise", how("none", json!({ "alg": "nOnE", "kid": null }))),
        ("unsigned, with the algorithm of the key", how("none", json!({}))),
        ("signed with the public key as a secret", how("shared", json!({ "alg": "HS256" }))),
        ("the same without the key's id", how("shared", json!({ "alg": "HS256", "kid": null }))),
        ("the same under the key's own algorithm", how("shared", json!({}))),
        ("signed by a stranger under the key's id", how("stranger", json!({}))),
        ("signed by a stranger without an id", how("stranger", json!({ "kid": null }))),
        ("with a demand that nobody here knows", header(json!({ "crit": ["x-story"], "x-story": 1 }))),
        ("with other claims than were signed", format!("{head}.{of_another}.{signature}")),
        ("with a signature cut short", format!("{head}.{body}.{}", &signature[..signature.len() - 2])),
        ("without its signature", format!("{head}.{body}.")),
        ("without claims", format!("{head}..{signature}")),
        ("of nothing", "..".to_owned()),
        ("of what is no base64", "a!.b!.c!".to_owned()),
        ("larger than any", claim(json!({ "pad": "x".repeat(9 << 10) }))),
    ];
    let mut sentences = std::collections::BTreeSet::new();
    for (what, token) in bad {
        let answer = whoami(&hub, &token).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        sentences.insert(answer.is_problem(Unauthenticated, None).detail);
    }
    assert_eq!(sentences.len(), 1, "nobody learns what was wrong: {sentences:?}");
    assert_eq!(whoami(&hub, &good).await.status, 200);
    assert!(!hub.log().contains(signature), "no token is ever logged");
}

async fn somebody_whom_only_the_provider_knows_is_told_what_is_missing(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = with(scene.hub(), &provider).setting("oidc.org_when_absent", "").start().await;
    knows_the_provider(&hub).await;
    provider.person("eve", &claims("admin", OTHER_ORG));
    provider.person("leo", &claims("guest", Value::Null));
    provider.person("max", &claims("admin", "acme"));
    provider.person("nan", &claims("admin", 7));
    for (sub, word) in [
        ("ada", "org_when_absent"),
        ("eve", "no org with your org's id"),
        ("leo", "[oidc.roles]"),
        ("max", "no org's id"),
        ("nan", "no org's id"),
    ] {
        let refused = whoami(&hub, &provider.token(sub)).await.is_problem(Forbidden, None);
        assert!(refused.detail.contains(word), "{sub}: {refused:?}");
    }
    make_other_org(&hub);
    assert_eq!(whoami(&hub, &provider.token("eve")).await.status, 200, "an org that is made later is found");
}

async fn every_way_to_sign_with_a_private_key_is_understood(scene: Scene) {
    for algorithm in ["PS256", "ES256", "ES384", "EdDSA"] {
        let provider = provider(&OidcPlan { algorithm, ..OidcPlan::default() });
        let hub = start(scene.hub_named(algorithm), &provider).await;
        assert_eq!(whoami(&hub, &provider.token("ada")).await.status, 200, "{algorithm}");
        let stranger = provider.forge(&Forgery { how: "stranger", ..Forgery::of("ada") });
        whoami(&hub, &stranger).await.is_problem(Unauthenticated, None);
        let (plan, _status) = hub.stop().await;
        let hub = plan.setting("oidc.algorithms", "RS256").start().await;
        knows_the_provider(&hub).await;
        whoami(&hub, &provider.token("ada")).await.is_problem(Unauthenticated, None);
    }
}

async fn a_token_may_be_late_by_the_leeway_and_no_more(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub().setting("oidc.leeway_s", 300), &provider).await;
    let late = |by: i64| provider.forge(&Forgery { expires_in: -by, ..Forgery::of("ada") });
    assert_eq!(whoami(&hub, &late(200)).await.status, 200);
    whoami(&hub, &late(301)).await.is_problem(Unauthenticated, None);
    let early = |by: i64| provider.forge(&Forgery { claims: json!({ "nbf_in": by }), ..Forgery::of("ada") });
    assert_eq!(whoami(&hub, &early(200)).await.status, 200);
    whoami(&hub, &early(400)).await.is_problem(Unauthenticated, None);
}
