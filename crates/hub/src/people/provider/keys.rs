//! The keys of the provider, and the one that a token's header asks for.

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use serde::Deserialize;
use serde_json::Value;
use sortie_rules::limits::PROVIDER_KEYS_MAX;
use sortie_rules::sign_in::{Algorithm, KeyKind};

/// The keys with which the provider signs.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    keys: Vec<Key>,
    /// The document that they were read from, by which a change is seen.
    text: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Key {
    id: Option<String>,
    kind: KeyKind,
    /// The only algorithm that it is for, if it says so.
    algorithm: Option<String>,
    key: DecodingKey,
}

/// Why there is no key for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// The provider may have made it since.
    Unknown,
    /// There is one, and it does not sign so.
    Unfit,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl Keys {
    /// Reads a key set (RFC 7517). Keys that cannot be used here are passed over; without any it is an error.
    pub(super) fn read(text: &[u8]) -> Result<Keys, String> {
        let document: Document =
            serde_json::from_slice(text).map_err(|error| format!("its keys cannot be read: {error}"))?;
        let keys: Vec<Key> = document.keys.into_iter().filter_map(usable).take(PROVIDER_KEYS_MAX).collect();
        if keys.is_empty() {
            return Err("it has no key that could be used here".to_owned());
        }
        Ok(Keys { keys, text: text.to_vec() })
    }

    /// Whether these are the same keys.
    pub(super) fn are(&self, others: &Keys) -> bool {
        self.text == others.text
    }

    /// The key of this id, if it signs so. Without an id, the only one that does.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&DecodingKey, NoKey> {
        let fits = |key: &&Key| {
            key.kind == algorithm.key() && key.algorithm.as_deref().is_none_or(|only| only == algorithm.as_str())
        };
        let Some(id) = id else {
            let mut fitting = self.keys.iter().filter(fits);
            return match (fitting.next(), fitting.next()) {
                (Some(key), None) => Ok(&key.key),
                _ => Err(NoKey::Unfit),
            };
        };
        let of_this_id = || self.keys.iter().filter(|key| key.id.as_deref() == Some(id));
        match of_this_id().find(fits) {
            Some(key) => Ok(&key.key),
            None if of_this_id().next().is_some() => Err(NoKey::Unfit),
            None => Err(NoKey::Unknown),
        }
    }
}

/// A key for signatures of a kind that is known here. Shared secrets are none.
fn usable(value: Value) -> Option<Key> {
    let algorithm = match value.get("alg") {
        None => None,
        Some(word) => Some(word.as_str()?.to_owned()),
    };
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return None;
    }
    let kind = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => KeyKind::Rsa,
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => KeyKind::P256,
            EllipticCurve::P384 => KeyKind::P384,
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => KeyKind::Ed25519,
        _ => return None,
    };
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some(Key { id: jwk.common.key_id, kind, algorithm, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &str) -> Result<Keys, String> {
        Keys::read(format!("{{\"keys\":[{keys}]}}").as_bytes())
    }

    /// The keys of RFC 7517, A.1, and of RFC 8037, A.2.
    const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1"}"#;
    const ED25519: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"2","alg":"EdDSA"}"#;
    const SECRET: &str = r#"{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA","kid":"3"}"#;

    #[test]
    fn a_key_is_found_by_its_id_and_only_for_what_it_signs() {
        let keys = read(&[P256, ED25519, SECRET].join(",")).unwrap();
        assert!(keys.find(Some("1"), Algorithm::ES256).is_ok() && keys.find(Some("2"), Algorithm::EdDSA).is_ok());
        assert_eq!(keys.find(Some("1"), Algorithm::RS256).unwrap_err(), NoKey::Unfit);
        assert_eq!(keys.find(Some("1"), Algorithm::ES384).unwrap_err(), NoKey::Unfit);
        for algorithm in Algorithm::ALL {
            assert_eq!(keys.find(Some("3"), algorithm).unwrap_err(), NoKey::Unknown, "a shared secret is no key");
        }
        assert!(keys.find(None, Algorithm::ES256).is_ok(), "the only one that signs so");
        assert_eq!(keys.find(None, Algorithm::RS256).unwrap_err(), NoKey::Unfit);
    }

    #[test]
    fn keys_that_cannot_be_used_are_passed_over() {
        let encrypting = P256.replace("\"kid\"", "\"use\":\"enc\",\"kid\"");
        let future = r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AA","kid":"9"}"#;
        let keys = read(&[&encrypting, future, ED25519].join(",")).unwrap();
        assert_eq!(keys.find(Some("1"), Algorithm::ES256).unwrap_err(), NoKey::Unknown);
        assert!(keys.find(Some("2"), Algorithm::EdDSA).is_ok());
        assert!(read(SECRET).is_err() && read("").is_err() && Keys::read(b"<html>").is_err());
        assert!(keys.are(&keys.clone()) && !keys.are(&read(ED25519).unwrap()));
    }
}
