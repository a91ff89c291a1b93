//! What an agent believes of its hub, and how that changes.
//!
//! A key set names the keys that sign and the authorities that vouch for the hub. Each set after the first
//! is a link of a chain: an envelope that a key of the set before has signed, and every key that it brings.
//! The hub keeps all of them, so that whoever has any set can follow to the newest.

use serde::{Deserialize, Serialize};
use sortie_rules::time::Span;

use crate::envelope::Envelope;

/// What is believed: all keys and authorities in it are valid now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeySet {
    /// Rises with every change of the set.
    pub version: u64,
    /// The keys that sign.
    pub keys: Vec<PublicKey>,
    /// The authorities of which one must vouch for the hub's certificate.
    #[serde(default)]
    pub authorities: Vec<TrustedAuthority>,
    /// The fingerprint of the authority that vouches for nodes. Who has a certificate from another one gets
    /// a new one soon.
    #[serde(default)]
    pub issuer: String,
    /// Within which time nodes get it, each at a moment of its own.
    #[serde(default)]
    pub renew_within: Span,
}

/// One public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublicKey {
    /// The first 16 bytes of the SHA-256 of the raw public key, in hex.
    pub id: String,
    /// Always `ed25519`.
    pub algorithm: String,
    /// The raw 32 bytes, in base64.
    pub key: String,
}

/// An authority that is believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrustedAuthority {
    /// The SHA-256 of its certificate (DER), in hex.
    pub fingerprint: String,
    /// Its certificate (PEM).
    pub certificate: String,
}

/// The query of `GET /agent/v1/keys`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct KeysQuery {
    /// The version of the set at hand; 0 for the whole chain.
    #[serde(default)]
    pub after: u64,
}

/// Links of the chain of key sets, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyChain {
    /// The sets after the one at hand, each signed by a key of the one before; not more than fit into one
    /// answer.
    pub links: Vec<Envelope>,
    /// The version of the newest set.
    pub newest: u64,
}

impl KeySet {
    /// The certificates of all its authorities, as one text (PEM).
    pub fn trust(&self) -> String {
        self.authorities.iter().map(|authority| authority.certificate.as_str()).collect()
    }
}
