//! Whoever runs a NATS server that lets in users with credentials: an operator, who signs accounts, and an account,
//! which signs its users. `nsc` makes the same.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

/// When everything was issued, in seconds since 1970. NATS only looks when it ends.
const ISSUED_AT: i64 = 1_700_000_000;

/// An operator with an account for the events, and one for the server itself.
#[derive(Debug)]
pub struct NatsOperator {
    operator: KeyPair,
    account: KeyPair,
    system: KeyPair,
}

/// A user of the account for the events.
#[derive(Debug, Clone, Copy, Default)]
pub struct NatsUser<'u> {
    /// To which subjects it may publish; to all if none is named.
    pub publish: &'u [&'u str],
    /// To which subjects it may subscribe; to all if none is named.
    pub subscribe: &'u [&'u str],
    /// When it ends, in seconds since 1970.
    pub ends_at: Option<i64>,
}

impl NatsOperator {
    /// Makes one.
    pub fn make() -> NatsOperator {
        NatsOperator {
            operator: KeyPair::new_operator(),
            account: KeyPair::new_account(),
            system: KeyPair::new_account(),
        }
    }

    /// What the server's configuration says of them.
    pub fn configuration(&self) -> String {
        let [operator, account, system] = [&self.operator, &self.account, &self.system].map(KeyPair::public_key);
        let everything = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1,
            "leaf": -1,
        });
        // JetStream is for the events' account; the server's own may not have it.
        let mut with_jetstream = everything.clone();
        for what in ["mem_storage", "disk_storage", "streams", "consumer"] {
            with_jetstream[what] = json!(-1);
        }
        let says = |of: &str, said: Value| signed(&self.operator, of, said, None);
        let own = says(&operator, json!({ "type": "operator", "version": 2 }));
        let of_account = says(&account, json!({ "type": "account", "version": 2, "limits": with_jetstream }));
        let of_system = says(&system, json!({ "type": "account", "version": 2, "limits": everything }));
        format!(
            "operator: {own}\nresolver: MEMORY\nsystem_account: {system}\n\
             resolver_preload {{ {account}: {of_account}, {system}: {of_system} }}\n"
        )
    }

    /// The text of a user's file of credentials: a JWT with its key.
    ///
    /// # Panics
    /// If no key can be made.
    pub fn credentials(&self, user: NatsUser<'_>) -> String {
        let key = KeyPair::new_user();
        let allow = |subjects: &[&str]| if subjects.is_empty() { json!({}) } else { json!({ "allow": subjects }) };
        let may = json!({
            "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1,
            "pub": allow(user.publish), "sub": allow(user.subscribe),
        });
        let jwt = signed(&self.account, &key.public_key(), may, user.ends_at);
        let seed = key.seed().expect("a key that was made here has its private half");
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }
}

/// What one says of another, as NATS reads it: a JWT of its own kind.
fn signed(by: &KeyPair, of: &str, said: Value, ends_at: Option<i64>) -> String {
    let mut claims = json!({
        "jti": uuid::Uuid::new_v4().to_string(), "iat": ISSUED_AT, "iss": by.public_key(), "sub": of, "name": of,
        "nats": said,
    });
    if let Some(ends_at) = ends_at {
        claims["exp"] = ends_at.into();
    }
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encoded(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })), encoded(&claims));
    let proof = by.sign(text.as_bytes()).expect("a key that was made here has its private half");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(proof))
}
