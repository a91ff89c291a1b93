//! Reads an assertion: signature first, then whether it is for this request, here and now. Nothing of it
//! reaches the store before that.

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use sortie_rules::ids::NodeId;
use sortie_rules::limits::ASSERTION_BYTES_MAX;
use sortie_rules::proofs::{Asked, Asserted, judge};
use sortie_rules::time::Millis;
use sortie_wire::answers::answer_to;
use sortie_wire::assertions::{ALGORITHM, Claims, Header, SCHEME, TYPE};
use sortie_wire::problem::ProblemCode;

use super::body::{BodyHash, hash_of};
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::identity::fingerprint;

/// An assertion whose signature holds. Whether it is for this request, and whether the key is the node's, are
/// other questions.
#[derive(Debug)]
pub(crate) struct Shown {
    /// Which node it names.
    pub(crate) node: NodeId,
    /// The SHA-256 of the public key that signed it, in hex.
    pub(crate) key_fingerprint: String,
    /// What the answer to it is signed for.
    pub(crate) answer_to: String,
    /// By what it is known if it comes again.
    pub(crate) id: String,
    /// Until when it holds.
    pub(crate) expires_at: Millis,
    /// What the request's body must hash to.
    pub(crate) body: BodyHash,
    claims: Claims,
}

/// The assertion that a request brings, if it brings one.
pub(crate) fn brought(parts: &Parts) -> Option<&str> {
    let text = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| token.trim())
}

/// The assertion, if the key in it has signed it. Strangers hear one sentence, whatever is wrong.
pub(crate) fn verify(token: &str) -> Result<Shown, Fault> {
    signed(token).ok_or_else(|| {
        metrics::counter!("sortie_assertions_refused_total", "why" => "signature").increment(1);
        let detail = "This is no assertion that the key in it has signed; `sortie doctor` looks closer.";
        refuse(ProblemCode::AssertionInvalid, detail)
    })
}

impl Shown {
    /// Whether it is for this request, at this hub, now.
    pub(crate) fn is_for(&self, app: &App, parts: &Parts) -> Result<(), Fault> {
        let target = parts.uri.path_and_query().map_or_else(|| parts.uri.path(), |both| both.as_str());
        let asserted = Asserted {
            hub: &self.claims.aud,
            method: &self.claims.method,
            target: &self.claims.target,
            issued_at: seconds(self.claims.iat),
            expires_at: self.expires_at,
            id: &self.id,
        };
        let asked = Asked {
            hub: app.keys.hub_id(),
            method: parts.method.as_str(),
            target,
            now: app.clock.now(),
            remembers_since: app.used.since(app),
        };
        judge(&asserted, &asked).map_err(|why| {
            let code = match why.is_about_time() {
                true => ProblemCode::AssertionUntimely,
                false => ProblemCode::AssertionInvalid,
            };
            metrics::counter!("sortie_assertions_refused_total", "why" => code.as_str()).increment(1);
            refuse(code, format!("The assertion is refused: {why}."))
        })
    }
}

/// What the key in an assertion has signed.
pub(crate) fn claims(token: &str) -> Option<Claims> {
    signed(token).map(|shown| shown.claims)
}

fn signed(token: &str) -> Option<Shown> {
    if token.len() > ASSERTION_BYTES_MAX {
        return None;
    }
    let (message, signature) = token.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let Header { typ, alg, jwk } = serde_json::from_slice(&part(header)?).ok()?;
    // One algorithm, one kind of key: what a header says beside that is not understood here.
    if typ != TYPE || alg != ALGORITHM || jwk.kty != "OKP" || jwk.crv != "Ed25519" {
        return None;
    }
    let raw = part(&jwk.x).filter(|raw| raw.len() == 32)?;
    let key = DecodingKey::from_ed_components(&jwk.x).ok()?;
    if !crypto::verify(signature, message.as_bytes(), &key, Algorithm::EdDSA).ok()? {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&part(claims)?).ok()?;
    Some(Shown {
        node: claims.sub,
        key_fingerprint: fingerprint(&raw),
        answer_to: answer_to(token),
        id: claims.jti.clone(),
        expires_at: seconds(claims.exp),
        body: hash_of(&claims.body)?,
        claims,
    })
}

fn seconds(at: i64) -> Millis {
    Millis(at.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use serde_json::{Value, json};
    use sortie_rules::ids::Id;

    struct Key(Ed25519KeyPair);

    impl Key {
        fn new() -> Key {
            let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
            Key(Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap())
        }
        fn jwk(&self) -> Value {
            json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref()) })
        }
        fn token(&self, header: &Value, claims: &Value) -> String {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let message = format!("{}.{}", part(header), part(claims));
            let signature = self.0.sign(message.as_bytes());
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
        }
    }

    fn claims() -> Value {
        let (node, body) = (NodeId::from_uuid(uuid::Uuid::from_u128(7)), sortie_wire::assertions::body_hash(b""));
        json!({ "sub": node, "aud": "hub", "iat": 1, "exp": 2, "jti": "0123456789abcdef", "method": "GET",
            "target": "/agent/v1/keys", "body": body })
    }

    #[test]
    fn what_the_key_in_it_has_signed_is_read() {
        let key = Key::new();
        let header = json!({ "typ": TYPE, "alg": ALGORITHM, "jwk": key.jwk() });
        let shown = verify(&key.token(&header, &claims())).unwrap();
        assert_eq!(shown.node, Id::from_uuid(uuid::Uuid::from_u128(7)));
        assert_eq!(shown.key_fingerprint, fingerprint(key.0.public_key().as_ref()));
    }

    #[test]
    fn nothing_else_is() {
        let (key, other) = (Key::new(), Key::new());
        let header = json!({ "typ": TYPE, "alg": ALGORITHM, "jwk": key.jwk() });
        let with = |field: &str, value: Value| {
            let mut header = header.clone();
            header[field] = value;
            key.token(&header, &claims())
        };
        let good = key.token(&header, &claims());
        let (message, signature) = good.rsplit_once('.').unwrap();
        let hs256 = {
            let header = json!({ "typ": TYPE, "alg": "HS256", "jwk": key.jwk() });
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let message = format!("{}.{}", part(&header), part(&claims()));
            let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key.0.public_key().as_ref());
            let tag = aws_lc_rs::hmac::sign(&mac, message.as_bytes());
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
        };
        let mut more = claims();
        more["nbf"] = json!(1);
        for (what, bad) in [
            ("another key's signature", other.token(&header, &claims())),
            ("no signature", format!("{message}.")),
            ("two parts", message.to_owned()),
            ("a signature that was cut", format!("{message}.{}", &signature[..80])),
            ("alg none", with("alg", json!("none"))),
            ("alg none, unsigned", {
                let bad = with("alg", json!("none"));
                format!("{}.", bad.rsplit_once('.').unwrap().0)
            }),
            ("HS256 with the public key as its secret", hs256),
            ("another type", with("typ", json!("JWT"))),
            ("a header that demands more", with("crit", json!(["exp"]))),
            ("a key from elsewhere", with("jku", json!("https://keys.example"))),
            ("another curve", with("jwk", json!({ "kty": "EC", "crv": "P-256", "x": "AA" }))),
            ("a claim that is not understood", key.token(&header, &more)),
            ("nothing", String::new()),
            ("an oversized one", "a".repeat(ASSERTION_BYTES_MAX + 1)),
        ] {
            let refused = verify(&bad).map(|shown| shown.node).unwrap_err().to_problem();
            assert_eq!(refused.code, ProblemCode::AssertionInvalid, "{what}");
        }
    }
}
