//! Signing in from a browser: to the provider's page and back, with a session in a cookie.

use counterparts::{OidcPlan, OidcProvider};
use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::Unauthenticated;
use stories::{Answer, As, HubPlan, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{people, start};

on_both_engines!(a_browser_goes_to_the_provider_and_comes_back_with_a_session);
on_sqlite!(
    a_sign_in_is_finished_once_and_in_the_browser_that_began_it,
    nobody_is_led_away_from_the_hub,
    a_provider_that_says_no_is_told_on_a_page,
    without_a_provider_the_page_says_so,
    whoever_signs_out_of_a_session_is_signed_out_at_the_provider,
);

/// A hub that people reach at `url`, and a provider that lets them come back to it.
async fn both<'s>(plan: HubPlan<'s>) -> (RunningHub<'s>, OidcProvider) {
    let redirects = [format!("{}/auth/callback", plan.url())];
    let provider = OidcProvider::start(&OidcPlan { redirects: &redirects, ..OidcPlan::default() });
    people(&provider);
    let url = plan.url();
    (start(plan.setting("url", url), &provider).await, provider)
}

/// What a browser keeps of an answer: `NAME=VALUE` of each cookie that is set.
fn cookies(answer: &Answer) -> Vec<String> {
    let set = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().expect("text"));
    set.map(|text| text.split(';').next().unwrap_or_default().to_owned()).collect()
}

/// Begins: the address of the provider's page, and the cookie of the sign-in.
async fn begin(hub: &RunningHub<'_>, query: &str) -> (String, String) {
    let answer = hub.request(Method::GET, &format!("/auth/begin{query}")).from(As::Nobody).send().await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let set = answer.headers["set-cookie"].to_str().unwrap();
    assert!(["Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600"].iter().all(|word| set.contains(word)), "{set}");
    (answer.headers["location"].to_str().unwrap().to_owned(), cookies(&answer).remove(0))
}

/// Opens an address of the hub's in the browser that has this cookie.
async fn open(hub: &RunningHub<'_>, address: &str, cookie: &str) -> Answer {
    let path = address.strip_prefix(&hub.url()).unwrap_or(address);
    hub.request(Method::GET, path).from(As::Nobody).header("cookie", cookie).send().await
}

async fn a_browser_goes_to_the_provider_and_comes_back_with_a_session(scene: Scene) {
    let (hub, provider) = both(scene.hub()).await;
    let (page, cookie) = begin(&hub, "?return_to=/tasks%3Fstatus%3Dfailed").await;
    for word in ["response_type=code", "code_challenge_method=S256", "code_challenge=", "state="] {
        assert!(page.contains(word), "{page}");
    }
    let back = provider.sign_in("ada", &page);
    assert!(back.starts_with(&format!("{}/auth/callback?", hub.url())), "{back}");
    let arrived = open(&hub, &back, &cookie).await;
    assert_eq!(arrived.status, 200, "{arrived:?}");
    assert!(arrived.body.contains("0;url=/tasks?status=failed"), "{arrived:?}");
    assert!(arrived.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let cookies = cookies(&arrived);
    let session = cookies.iter().find(|cookie| cookie.starts_with("__Host-sortie=")).expect("a session");
    assert!(cookies.contains(&"__Host-sortie-sign-in=".to_owned()), "and the other cookie goes");
    let whoami = open(&hub, "/api/v1/whoami", session).await.json();
    assert_eq!(whoami["role"], json!("admin"), "{whoami}");
    let listed = hub.sortie_json(&["session", "list"])["items"].clone();
    assert_eq!(listed[0]["subject"], json!("oidc:ada"));
    let kept = hub.plan().sql("select provider from sessions");
    assert!(!format!("{kept:?}").contains("eyJ"), "what the provider gave is sealed");
    // It outlives the hub's process, and the provider's.
    drop(provider);
    let hub = hub.kill().await.start().await;
    assert_eq!(open(&hub, "/api/v1/whoami", session).await.status, 200);
    assert!(!hub.log().contains("code_verifier") && !hub.log().contains(session.as_str()));
}

async fn a_sign_in_is_finished_once_and_in_the_browser_that_began_it(scene: Scene) {
    let (hub, provider) = both(scene.hub()).await;
    let (page, cookie) = begin(&hub, "").await;
    let (_, other_cookie) = begin(&hub, "").await;
    let back = provider.sign_in("ada", &page);
    for wrong in ["", other_cookie.as_str(), "__Host-sortie-sign-in=AAAA", &cookie[..cookie.len() - 4]] {
        let refused = open(&hub, &back, wrong).await;
        assert!(refused.status == 401 && refused.body.contains("not begun in this browser"), "{refused:?}");
        assert!(refused.body.contains("/auth/begin"), "what to do next");
    }
    let mixed = back.replace("state=", "state=x");
    assert_eq!(open(&hub, &mixed, &cookie).await.status, 401);
    let forged = back.replace("code=", "code=x");
    let refused = open(&hub, &forged, &cookie).await;
    assert!(refused.status == 401 && refused.body.contains("begin anew"), "{refused:?}");
    assert!(hub.events("session.began").await.is_empty());
    assert_eq!(open(&hub, &back, &cookie).await.status, 200);
    assert_eq!(open(&hub, &back, &cookie).await.status, 401, "the provider gives a code's tokens once");
    assert_eq!(hub.events("session.began").await.len(), 1);
}

async fn nobody_is_led_away_from_the_hub(scene: Scene) {
    let (hub, provider) = both(scene.hub()).await;
    for to in ["https://evil.example", "//evil.example", "/%5Cevil.example", "/%22%3E%3Cscript%3E", "evil"] {
        let (page, cookie) = begin(&hub, &format!("?return_to={to}")).await;
        let arrived = open(&hub, &provider.sign_in("vic", &page), &cookie).await;
        assert!(arrived.body.contains("0;url=/api/docs\"") && !arrived.body.contains("evil"), "{arrived:?}");
        assert!(!arrived.body.contains("<script"), "{arrived:?}");
    }
    // What a browser would read as `//evil.example` once it has read the page.
    let (page, cookie) = begin(&hub, "?return_to=/%26%2347;evil.example").await;
    let arrived = open(&hub, &provider.sign_in("vic", &page), &cookie).await;
    assert!(arrived.body.contains("0;url=/&amp;#47;evil.example\""), "{arrived:?}");
}

async fn a_provider_that_says_no_is_told_on_a_page(scene: Scene) {
    let (hub, provider) = both(scene.hub()).await;
    let (page, cookie) = begin(&hub, "").await;
    let state = page.split("state=").nth(1).and_then(|rest| rest.split('&').next()).unwrap();
    let path = format!("/auth/callback?state={state}&error=access_denied&error_description=%3Cb%3Eno%3C/b%3E");
    let told = open(&hub, &path, &cookie).await;
    assert!(told.status == 401 && told.body.contains("&lt;b&gt;no"), "its words are words: {told:?}");
    let other = format!("/auth/callback?state={state}&code=x&iss=https://other.example");
    assert!(open(&hub, &other, &cookie).await.body.contains("Another identity provider"));
    let (page, cookie) = begin(&hub, "").await;
    let back = provider.sign_in("ada", &page);
    drop(provider);
    let told = open(&hub, &back, &cookie).await;
    assert!(told.status == 503 && told.body.contains("Not signed in"), "{told:?}");
}

async fn without_a_provider_the_page_says_so(scene: Scene) {
    let hub = scene.hub().start().await;
    let told = hub.request(Method::GET, "/auth/begin").from(As::Nobody).send().await;
    assert!(told.body.contains("no identity provider"), "{told:?}");
}

async fn whoever_signs_out_of_a_session_is_signed_out_at_the_provider(scene: Scene) {
    let (hub, provider) = both(scene.hub()).await;
    let (page, cookie) = begin(&hub, "").await;
    let arrived = open(&hub, &provider.sign_in("vic", &page), &cookie).await;
    let session = cookies(&arrived).into_iter().find(|cookie| cookie.starts_with("__Host-sortie=")).unwrap();
    let log_out = hub.request(Method::POST, "/api/v1/auth/logout").from(As::Nobody).header("cookie", &session);
    assert_eq!(log_out.clone().send().await.status, 403, "another site's page signs nobody out");
    let out = log_out.clone().header("sec-fetch-site", "same-origin").send().await;
    assert_eq!((out.status, &out.json()["provider_told"]), (200, &json!(true)), "{out:?}");
    assert!(cookies(&out).contains(&"__Host-sortie=".to_owned()), "the browser forgets it");
    assert!(provider.asked("/token/revocation") >= 1);
    let again = open(&hub, "/api/v1/whoami", &session).await;
    again.is_problem(Unauthenticated, None);
    assert_eq!(hub.events("session.ended").await[0].data["reason"], json!("signed_out"));
}
