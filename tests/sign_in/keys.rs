//! The provider's keys: read once, kept while the provider is away, and looked for again when a token names
//! one that is not known.

use counterparts::{Forgery, OidcPlan};
use futures_util::future::join_all;
use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::{ProviderUnavailable, Unauthenticated};
use stories::{As, Scene, on_sqlite, until};

use crate::help::{people, provider, start, whoami, with};

on_sqlite!(
    unknown_keys_are_asked_for_once_however_many_tokens_name_them,
    tokens_of_a_fresh_key_hold_at_once_and_those_of_the_last_one_no_more,
    whoever_signed_in_goes_on_while_the_provider_is_away,
    a_hub_starts_without_its_provider_and_finds_it_later,
    keys_are_read_anew_by_themselves,
    a_provider_that_calls_itself_otherwise_is_not_believed,
);

async fn unknown_keys_are_asked_for_once_however_many_tokens_name_them(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let good = provider.token("ada");
    assert_eq!(whoami(&hub, &good).await.status, 200);
    let before = provider.asked("/jwks");
    let header = |number: u32| json!({ "kid": format!("made-up-{number}") });
    let made_up = |number| provider.forge(&Forgery { header: header(number), ..Forgery::of("ada") });
    let tokens: Vec<String> = (0..50).map(made_up).collect();
    let answers = join_all(tokens.iter().map(|token| whoami(&hub, token))).await;
    answers.iter().for_each(|answer| drop(answer.is_problem(Unauthenticated, None)));
    assert_eq!(provider.asked("/jwks"), before + 1, "they share one look");
    whoami(&hub, &made_up(50)).await.is_problem(Unauthenticated, None);
    assert_eq!(provider.asked("/jwks"), before + 1, "and the next waits for its time");
    assert_eq!(whoami(&hub, &good).await.status, 200);
    let other = hub.people_as(&provider.token("vic"));
    assert_eq!(other.whoami().await.expect("a known key needs no look").name, "vic");
}

async fn tokens_of_a_fresh_key_hold_at_once_and_those_of_the_last_one_no_more(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub(), &provider).await;
    let before = provider.token("ada");
    assert_eq!(whoami(&hub, &before).await.status, 200);
    let asked = provider.asked("/jwks");
    provider.rotate();
    assert_eq!(whoami(&hub, &before).await.status, 200, "nobody has said yet that the key is gone");
    assert_eq!(whoami(&hub, &provider.token("vic")).await.status, 200);
    assert_eq!(provider.asked("/jwks"), asked + 1);
    whoami(&hub, &before).await.is_problem(Unauthenticated, None);
}

async fn whoever_signed_in_goes_on_while_the_provider_is_away(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub().setting("oidc.refresh_s", 1), &provider).await;
    let north = hub.hand_node("north").await;
    let (ada, vic) = (provider.token("ada"), provider.token("vic"));
    let header = json!({ "kid": "made-up" });
    let made_up = provider.forge(&Forgery { header, ..Forgery::of("ada") });
    assert_eq!(whoami(&hub, &ada).await.status, 200);
    drop(provider);
    until("the hub notices", async || hub.log().contains("the identity provider").then_some(())).await;
    assert_eq!(whoami(&hub, &ada).await.status, 200);
    assert_eq!(whoami(&hub, &vic).await.status, 200, "the keys are known");
    whoami(&hub, &made_up).await.is_problem(Unauthenticated, None);
    assert!(north.wait(1, 0).await.tasks.is_empty(), "agents go on as ever");
}

async fn a_hub_starts_without_its_provider_and_finds_it_later(scene: Scene) {
    let gone = provider(&OidcPlan::default());
    let (port, early) = (gone.port(), gone.token("ada"));
    let plan = with(scene.hub(), &gone).setting("oidc.refresh_s", 1);
    drop(gone);
    let hub = plan.start().await;
    let refused = whoami(&hub, &early).await.is_problem(ProviderUnavailable, None);
    assert!(refused.detail.contains("API tokens work"), "{refused:?}");
    let asked = hub.request(Method::GET, "/api/v1/auth/provider").from(As::Nobody).send().await;
    asked.is_problem(ProviderUnavailable, None);
    assert_eq!(hub.people().whoami().await.expect("API tokens work").name, "admin");
    let back = provider(&OidcPlan { port: Some(port), ..OidcPlan::default() });
    people(&back);
    let ada = back.token("ada");
    until("the hub finds the provider", async || (whoami(&hub, &ada).await.status == 200).then_some(())).await;
    whoami(&hub, &early).await.is_problem(Unauthenticated, None);
}

async fn keys_are_read_anew_by_themselves(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let hub = start(scene.hub().setting("oidc.refresh_s", 1), &provider).await;
    let before = provider.token("ada");
    assert_eq!(whoami(&hub, &before).await.status, 200);
    provider.rotate();
    until("the key that is gone is forgotten", async || (whoami(&hub, &before).await.status == 401).then_some(()))
        .await;
}

async fn a_provider_that_calls_itself_otherwise_is_not_believed(scene: Scene) {
    let provider = provider(&OidcPlan::default());
    let other_name = format!("http://localhost:{}", provider.port());
    let hub = with(scene.hub(), &provider).setting("oidc.issuer", other_name).start().await;
    let token = provider.token("ada");
    until("the log says why", async || hub.log().contains("must be exactly that").then_some(())).await;
    whoami(&hub, &token).await.is_problem(ProviderUnavailable, None);
}
