//! Public keys as `ssh-keygen` prints them: `ssh-ed25519 AAAA… comment`.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, STANDARD_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::Reader;

/// Longest key that is read, in bytes of its encoding.
const KEY_BYTES_MAX: usize = 1024;

/// How a key signs. RSA and DSA keys are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519.
    Ed25519,
    /// ECDSA over P-256.
    Ecdsa,
    /// Ed25519 in a hardware key, which somebody must touch.
    HardwareEd25519,
    /// ECDSA over P-256 in a hardware key, which somebody must touch.
    HardwareEcdsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 4] =
        [Algorithm::Ed25519, Algorithm::Ecdsa, Algorithm::HardwareEd25519, Algorithm::HardwareEcdsa];

    /// The word that SSH has for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Algorithm::Ed25519 => "ssh-ed25519",
            Algorithm::Ecdsa => "ecdsa-sha2-nistp256",
            Algorithm::HardwareEd25519 => "sk-ssh-ed25519@openssh.com",
            Algorithm::HardwareEcdsa => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// The algorithm of a word.
    pub fn parse(word: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == word)
    }

    const fn is_ed25519(self) -> bool {
        matches!(self, Algorithm::Ed25519 | Algorithm::HardwareEd25519)
    }
}

/// A public key of SSH.
#[derive(Clone, PartialEq, Eq)]
pub struct SshKey {
    pub(super) algorithm: Algorithm,
    /// For what a hardware key signs, such as `ssh:`.
    pub(super) application: Option<String>,
    /// The key itself: 32 bytes, or a point of P-256.
    point: Vec<u8>,
    encoded: Vec<u8>,
}

/// It is not a public key that is taken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnSshKey {
    /// It cannot be read.
    #[error("this is not an SSH public key; one is a line such as `ssh-ed25519 AAAA…`, as it stands in a .pub file")]
    Unreadable,
    /// It is of another kind.
    #[error("keys of this kind are not taken; make one with `sortie keys new` or `ssh-keygen -t ed25519`")]
    OtherKind,
}

impl SshKey {
    /// Reads a key from its encoding.
    pub fn decode(encoded: &[u8]) -> Result<SshKey, NotAnSshKey> {
        if encoded.len() > KEY_BYTES_MAX {
            return Err(NotAnSshKey::Unreadable);
        }
        let mut reader = Reader::new(encoded);
        let word = reader.word().ok_or(NotAnSshKey::Unreadable)?;
        let algorithm = Algorithm::parse(word).ok_or(NotAnSshKey::OtherKind)?;
        Self::rest(algorithm, reader, encoded).ok_or(NotAnSshKey::Unreadable)
    }

    fn rest(algorithm: Algorithm, mut reader: Reader<'_>, encoded: &[u8]) -> Option<SshKey> {
        if !algorithm.is_ed25519() && reader.word()? != "nistp256" {
            return None;
        }
        let point = reader.string()?.to_vec();
        let application = match algorithm {
            Algorithm::Ed25519 | Algorithm::Ecdsa => None,
            Algorithm::HardwareEd25519 | Algorithm::HardwareEcdsa => Some(reader.word()?.to_owned()),
        };
        reader.end()?;
        let key = SshKey { algorithm, application, point, encoded: encoded.to_vec() };
        key.verifying().map(|_| key)
    }

    /// The key as what computes with it, if it is one.
    pub(super) fn verifying(&self) -> Option<ParsedPublicKey> {
        match self.algorithm.is_ed25519() {
            true => ParsedPublicKey::new(&ED25519, &self.point).ok(),
            false => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.point).ok(),
        }
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its encoding.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Its fingerprint, as `ssh-keygen -l` prints it: `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(digest(&SHA256, &self.encoded)))
    }
}

/// The line of a `.pub` file, without its comment.
impl fmt::Display for SshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.algorithm.as_str(), BASE64.encode(&self.encoded))
    }
}

impl fmt::Debug for SshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SshKey({})", self.fingerprint())
    }
}

impl FromStr for SshKey {
    type Err = NotAnSshKey;

    /// Reads the line of a `.pub` file. What follows the key is a comment and is left out.
    fn from_str(line: &str) -> Result<SshKey, NotAnSshKey> {
        let mut words = line.split_ascii_whitespace();
        let (Some(word), Some(encoded)) = (words.next(), words.next()) else { return Err(NotAnSshKey::Unreadable) };
        let encoded = BASE64.decode(encoded).map_err(|_| NotAnSshKey::Unreadable)?;
        let key = SshKey::decode(&encoded)?;
        if key.algorithm.as_str() == word { Ok(key) } else { Err(NotAnSshKey::Unreadable) }
    }
}

impl Serialize for SshKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SshKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SshKey, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for SshKey {}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for SshKey {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <String as utoipa::PartialSchema>::schema()
    }
}
