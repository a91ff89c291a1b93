//! The public keys with which the hub signs what it hands out.

use serde::{Deserialize, Serialize};

/// A set of keys, all of which are valid now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeySet {
    /// Rises with every change of the set.
    pub version: u64,
    /// The keys.
    pub keys: Vec<PublicKey>,
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
