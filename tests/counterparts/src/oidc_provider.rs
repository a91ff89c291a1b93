//! A real identity provider: oidc-provider, which is certified for OpenID Connect. The story says who its
//! people are, and it signs them in, as a browser with a person in front of it would.

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::node;
use crate::script::Script;

/// What a provider is like.
#[derive(Debug, Clone)]
pub struct OidcPlan<'a> {
    /// The port to listen on; a free one if absent.
    pub port: Option<u16>,
    /// What its access tokens are for.
    pub audience: &'a str,
    /// How it signs.
    pub algorithm: &'a str,
    /// How long its access tokens live, in seconds.
    pub life_s: u32,
    /// Where browsers may be sent back to.
    pub redirects: &'a [String],
}

impl Default for OidcPlan<'_> {
    fn default() -> Self {
        OidcPlan { port: None, audience: "https://hub.example", algorithm: "RS256", life_s: 600, redirects: &[] }
    }
}

/// A token that the provider itself would not make.
#[derive(Debug, Clone)]
pub struct Forgery {
    /// Whose it claims to be.
    pub sub: String,
    /// What its header says beside or instead of the usual; what is null is left out.
    pub header: Value,
    /// The same of its claims; `nbf_in` is `nbf` in seconds from now.
    pub claims: Value,
    /// When it ends, in seconds from now.
    pub expires_in: i64,
    /// Who signs it: `key` (the provider), `stranger` (another key), `none` (nobody), `shared` (HMAC with
    /// the provider's public key).
    pub how: &'static str,
}

impl Forgery {
    /// A token of this person which is not forged at all.
    pub fn of(sub: &str) -> Forgery {
        Forgery { sub: sub.to_owned(), header: json!({}), claims: json!({}), expires_in: 600, how: "key" }
    }
}

/// A provider on a port of 127.0.0.1. It is gone when this is dropped.
#[derive(Debug)]
pub struct OidcProvider(RefCell<Script>);

impl OidcProvider {
    /// The only client: public, with code flow and device flow.
    pub const CLIENT: &str = "sortie";

    /// Starts one.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(plan: &OidcPlan<'_>) -> OidcProvider {
        let (port, life) = (plan.port.unwrap_or(0).to_string(), plan.life_s.to_string());
        let redirects = match plan.redirects {
            // The provider wants one, used or not.
            [] => json!(["https://hub.example/callback"]).to_string(),
            some => json!(some).to_string(),
        };
        let arguments = [&port, plan.audience, plan.algorithm, &life, &redirects];
        let script = Script::start(node::script(include_str!("oidc_provider.js"), &arguments));
        OidcProvider(RefCell::new(script.unwrap_or_else(|said| panic!("the provider does not start:\n{said}"))))
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.0.borrow().port
    }

    /// Its name for itself.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Makes somebody known: these claims stand in their tokens.
    pub fn person(&self, sub: &str, claims: &Value) {
        self.order(json!({ "order": "person", "sub": sub, "claims": claims }));
    }

    /// An access token as the provider makes it.
    pub fn token(&self, sub: &str) -> String {
        text(&self.order(json!({ "order": "token", "sub": sub })))
    }

    /// A token of the story's own making.
    pub fn forge(&self, forgery: &Forgery) -> String {
        let Forgery { sub, header, claims, expires_in, how } = forgery;
        text(&self.order(json!({
            "order": "forge", "sub": sub, "header": header, "claims": claims, "expires_in": expires_in, "how": how
        })))
    }

    /// Puts a fresh key in the place of its only one, and returns the key's id.
    pub fn rotate(&self) -> String {
        text(&self.order(json!({ "order": "rotate" })))
    }

    /// How often it was asked at this path, for example `/jwks`.
    pub fn asked(&self, path: &str) -> u64 {
        self.order(json!({ "order": "counts" }))[path].as_u64().unwrap_or(0)
    }

    /// The next request for a token is answered with this error.
    pub fn answer_next(&self, error: &str) {
        self.order(json!({ "order": "fault", "error": error }));
    }

    /// Somebody signs in on the page of a device, types the code and agrees.
    pub fn approve(&self, sub: &str, code: &str) {
        let page = self.order(json!({ "order": "approve", "sub": sub, "code": code }));
        assert_eq!(page["status"], 200, "the page ends well: {page}");
    }

    /// Somebody types the code and declines.
    pub fn refuse(&self, code: &str) {
        self.order(json!({ "order": "refuse", "sub": "nobody", "code": code }));
    }

    /// A browser opens this address of the provider's and signs somebody in there; returns the address that
    /// it is sent back to.
    pub fn sign_in(&self, sub: &str, url: &str) -> String {
        let page = self.order(json!({ "order": "sign_in", "sub": sub, "url": url }));
        page["location"].as_str().unwrap_or_else(|| panic!("the browser is not sent back: {page}")).to_owned()
    }

    /// Whether the provider says that this token holds (RFC 7662).
    pub fn holds(&self, token: &str) -> bool {
        self.order(json!({ "order": "introspect", "token": token }))["active"] == true
    }

    fn order(&self, order: Value) -> Value {
        let mut script = self.0.borrow_mut();
        script.say(&order.to_string());
        let answer: Value = serde_json::from_str(&script.hear()).expect("it answers in JSON");
        assert!(answer.get("failed").is_none(), "the provider could not: {order}: {}", answer["failed"]);
        answer["done"].clone()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_knows_its_people_and_changes_its_key() {
        let provider = OidcProvider::start(&OidcPlan { algorithm: "ES256", ..OidcPlan::default() });
        provider.person("ada", &json!({ "realm_access": { "roles": ["admin"] } }));
        let (token, forged) = (provider.token("ada"), provider.forge(&Forgery::of("ada")));
        assert!(token.split('.').count() == 3 && forged.split('.').count() == 3);
        assert_eq!(provider.rotate(), "key-2");
        assert_eq!(provider.asked("/jwks"), 0);
    }
}
