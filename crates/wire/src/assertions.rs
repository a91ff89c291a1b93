//! The assertion: a JSON Web Token (RFC 7519) that a node signs for one request, in place of a certificate.
//!
//! `Authorization: Assertion HEADER.CLAIMS.SIGNATURE`. The header carries the node's public key (RFC 8037),
//! which the hub holds against the fingerprint that it keeps, so that nothing about keys is looked up before
//! the signature holds. There is one algorithm, and a header says nothing else.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sortie_rules::ids::NodeId;

use crate::envelope::NotAKey;

/// The scheme of the `Authorization` header that carries an assertion.
pub const SCHEME: &str = "Assertion";
/// What the token says that it is.
pub const TYPE: &str = "sortie-assertion+jwt";
/// The only algorithm.
pub const ALGORITHM: &str = "EdDSA";

/// The header of an assertion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Always [`TYPE`].
    pub typ: String,
    /// Always [`ALGORITHM`].
    pub alg: String,
    /// The node's public key.
    pub jwk: Jwk,
}

/// An Ed25519 public key as JSON Web Keys have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwk {
    /// Always `OKP`.
    pub kty: String,
    /// Always `Ed25519`.
    pub crv: String,
    /// The raw 32 bytes, in base64url.
    pub x: String,
}

/// The claims of an assertion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Which node.
    pub sub: NodeId,
    /// For which hub: its `hub_id`, as the enrolment said.
    pub aud: String,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// Until when it holds, in seconds since 1970.
    pub exp: i64,
    /// By what it is known if it comes again: 16 to 64 bytes of chance.
    pub jti: String,
    /// The request's method.
    pub method: String,
    /// The request's path from `/agent/` on, with its query.
    pub target: String,
    /// The SHA-256 of the request's body, in base64url; of no bytes if it has none.
    pub body: String,
}

/// The hash of a body as [`Claims::body`] has it.
pub fn body_hash(body: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, body).as_ref())
}

/// A node's key, which makes assertions.
pub struct Asserter {
    pair: Ed25519KeyPair,
    header: String,
}

impl std::fmt::Debug for Asserter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asserter(key withheld)")
    }
}

impl Asserter {
    /// From a private key in PKCS#8 DER.
    pub fn from_pkcs8(der: &[u8]) -> Result<Asserter, NotAKey> {
        let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| NotAKey)?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let jwk = Jwk { kty: "OKP".to_owned(), crv: "Ed25519".to_owned(), x };
        let header = Header { typ: TYPE.to_owned(), alg: ALGORITHM.to_owned(), jwk };
        let header = serde_json::to_vec(&header).map_err(|_| NotAKey)?;
        Ok(Asserter { pair, header: URL_SAFE_NO_PAD.encode(header) })
    }

    /// The value of `Authorization` that makes these claims.
    pub fn assert(&self, claims: &Claims) -> String {
        let claims = serde_json::to_vec(claims).unwrap_or_default();
        let message = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(message.as_bytes()).as_ref());
        format!("{SCHEME} {message}.{signature}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use sortie_rules::ids::Id;

    #[test]
    fn an_assertion_is_a_token_that_its_own_key_has_signed() {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let claims = Claims {
            sub: Id::from_uuid(uuid::Uuid::from_u128(7)),
            aud: "hub".into(),
            iat: 1,
            exp: 2,
            jti: "0123456789abcdef".into(),
            method: "GET".into(),
            target: "/agent/v1/keys".into(),
            body: body_hash(b""),
        };
        let text = Asserter::from_pkcs8(der.as_ref()).unwrap().assert(&claims);
        let token = text.strip_prefix("Assertion ").unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, body) = message.split_once('.').unwrap();
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let header: Header = serde_json::from_slice(&part(header)).unwrap();
        assert_eq!((header.alg.as_str(), header.typ.as_str()), (ALGORITHM, TYPE));
        assert_eq!(serde_json::from_slice::<Claims>(&part(body)).unwrap(), claims);
        let key = UnparsedPublicKey::new(&ED25519, part(&header.jwk.x));
        key.verify(message.as_bytes(), &part(signature)).unwrap();
    }
}
