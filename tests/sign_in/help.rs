//! A provider with people, and a hub that knows it.

use counterparts::{OidcPlan, OidcProvider};
use http::Method;
use serde_json::{Value, json};
use stories::{Answer, As, HubPlan, RunningHub, until};

/// An org beside the hub's own.
pub(crate) const OTHER_ORG: &str = "01980c5e-7d1a-7c3e-9b7e-0000000000b0";

/// A provider at which Ada is an administrator and Vic a viewer of the hub's own org.
pub(crate) fn provider(plan: &OidcPlan<'_>) -> OidcProvider {
    let provider = OidcProvider::start(plan);
    people(&provider);
    provider
}

/// Makes them known.
pub(crate) fn people(provider: &OidcProvider) {
    provider.person("ada", &claims("admin", Value::Null));
    provider.person("vic", &claims("user", Value::Null));
}

/// The claims of somebody with this role in this org.
pub(crate) fn claims(role: &str, org: impl Into<Value>) -> Value {
    json!({ "realm_access": { "roles": ["offline_access", role] }, "org_id": org.into() })
}

/// The same hub with this provider.
pub(crate) fn with<'s>(plan: HubPlan<'s>, provider: &OidcProvider) -> HubPlan<'s> {
    plan.setting("oidc.issuer", provider.issuer())
        .setting("oidc.client_id", OidcProvider::CLIENT)
        .setting("oidc.audience", OidcPlan::default().audience)
        .setting("oidc.org_when_absent", "default")
}

/// Starts it and waits until it knows the provider's keys.
pub(crate) async fn start<'s>(plan: HubPlan<'s>, provider: &OidcProvider) -> RunningHub<'s> {
    let hub = with(plan, provider).start().await;
    knows_the_provider(&hub).await;
    hub
}

/// Waits until the hub knows the provider's keys.
pub(crate) async fn knows_the_provider(hub: &RunningHub<'_>) {
    until("the hub knows the provider", async || {
        let asked = hub.request(Method::GET, "/api/v1/auth/provider").from(As::Nobody).send().await;
        (asked.status == 200).then_some(())
    })
    .await;
}

/// Who the hub says the bearer of this token is.
pub(crate) async fn whoami(hub: &RunningHub<'_>, token: &str) -> Answer {
    hub.request(Method::GET, "/api/v1/whoami").from(As::Token(token.to_owned())).send().await
}

/// Makes an org that is not the hub's own.
pub(crate) fn make_other_org(hub: &RunningHub<'_>) {
    hub.plan().sql(&format!("insert into orgs (id, name, created_at) values ('{OTHER_ORG}', 'other', 1)"));
}

/// Denies a token, as the bearer of `by`.
pub(crate) async fn deny(hub: &RunningHub<'_>, by: &str, body: &Value) -> Answer {
    let request = hub.request(Method::POST, "/api/v1/denied-tokens").from(As::Token(by.to_owned()));
    request.json(body).send().await
}

/// The claims of a token, unchecked.
pub(crate) fn claims_of(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).expect("a token has three parts");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64");
    serde_json::from_slice(&bytes).expect("claims are JSON")
}

/// Access and refresh token of somebody who signed in on a device.
pub(crate) async fn sign_in_on_a_device(provider: &OidcProvider, sub: &str) -> (String, String) {
    let http = reqwest::Client::builder().no_proxy().build().expect("a plain client can be made");
    let post = async |path: &str, form: String| {
        let request = http.post(format!("{}{path}", provider.issuer()));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let text = request.send().await.expect("the provider answers").text().await.expect("in text");
        serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
    };
    let begun = post("/device/auth", "client_id=sortie&scope=openid%20profile".to_owned()).await;
    provider.approve(sub, begun["user_code"].as_str().expect("a code"));
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    let code = begun["device_code"].as_str().expect("a code");
    let tokens = post("/token", format!("client_id=sortie&grant_type={grant}&device_code={code}")).await;
    let text = |name: &str| tokens[name].as_str().unwrap_or_else(|| panic!("no {name}: {tokens}")).to_owned();
    (text("access_token"), text("refresh_token"))
}
