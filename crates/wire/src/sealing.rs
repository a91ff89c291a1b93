//! Seals secrets of desired states so that one node can open them, and opens them there.
//!
//! HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM. What is sealed is bound
//! to its node, generation and place, so that nobody can put it anywhere else.

use std::fmt;

use aws_lc_rs::agreement;
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};
use sortie_rules::desired::ResourceKey;
use sortie_rules::ids::NodeId;

use crate::desired::Sealed;

const INFO: &[u8] = b"sortie desired state v1";
const KEY_BYTES: usize = 32;

/// Where a sealed value stands; sealing binds to it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// At which node.
    pub node: NodeId,
    /// In which generation.
    pub generation: u64,
    /// In which resource.
    pub resource: &'p ResourceKey,
    /// Where in the resource's spec, as a JSON pointer: `/content`.
    pub pointer: &'p str,
}

/// To whom is sealed: a node's public key (X25519), as it stands in `seal_to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealTo([u8; KEY_BYTES]);

/// The key with which a node opens what was sealed to it. It never leaves the node.
pub struct OpeningKey {
    secret: [u8; KEY_BYTES],
    public: SealTo,
}

/// A text or bytes that are no key of this sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no X25519 key: it has 32 bytes, and as text it is in base64 for URLs, without padding")]
pub struct BadKey;

/// Why something could not be sealed: nothing can be sealed to the key, or there is no chance left in the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret cannot be sealed to the key that the node named")]
pub struct CannotSeal;

/// Why a sealed value was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotOpen {
    /// What should be base64 is none, or is too short to hold anything.
    #[error("the sealed value cannot be read")]
    Unreadable,
    /// It was sealed to another key, for another place, or was changed.
    #[error("the value is sealed for another key or another place, or was changed on its way")]
    NotOurs,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        format!("{}/{}/{}{}", self.node, self.generation, self.resource, self.pointer).into_bytes()
    }
}

impl std::str::FromStr for SealTo {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<SealTo, BadKey> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| BadKey)?;
        bytes.try_into().map(SealTo).map_err(|_| BadKey)
    }
}

impl fmt::Display for SealTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl OpeningKey {
    /// A new key, drawn by chance.
    ///
    /// # Panics
    /// If the machine has no chance to give, as with every key.
    pub fn generate() -> OpeningKey {
        let (public, secret) = SUITE.generate_key_pair().expect("the machine gives random bytes");
        let public = public.0.try_into().map(SealTo).expect("an X25519 key has 32 bytes");
        let secret = secret.secret_bytes().try_into().expect("an X25519 key has 32 bytes");
        OpeningKey { secret, public }
    }

    /// The key of these 32 bytes, as [`OpeningKey::secret_bytes`] gave them.
    ///
    /// # Errors
    /// If they are no key.
    pub fn from_bytes(bytes: &[u8]) -> Result<OpeningKey, BadKey> {
        let secret: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| BadKey)?;
        let public = public_of(&secret).map_err(|_| BadKey)?;
        Ok(OpeningKey { secret, public })
    }

    /// The key itself, for the file of the node in which it is kept.
    pub fn secret_bytes(&self) -> &[u8] {
        &self.secret
    }

    /// To whom is to be sealed what this key opens.
    pub fn seal_to(&self) -> &SealTo {
        &self.public
    }

    /// What was sealed for this place.
    ///
    /// # Errors
    /// If it cannot be read, or is not for this key and this place.
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Vec<u8>, CannotOpen> {
        let decode = |text: &str| BASE64.decode(text).map_err(|_| CannotOpen::Unreadable);
        let (enc, ct) = (EncapsulatedSecret(decode(&sealed.enc)?), decode(&sealed.ct)?);
        if enc.0.len() != KEY_BYTES {
            return Err(CannotOpen::Unreadable);
        }
        let key = HpkePrivateKey::from(self.secret.to_vec());
        SUITE.open(&enc, INFO, &place.bytes(), &ct, &key).map_err(|_| CannotOpen::NotOurs)
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpeningKey({})", self.public)
    }
}

fn public_of(secret: &[u8]) -> Result<SealTo, Unspecified> {
    let key = agreement::PrivateKey::from_private_key(&agreement::X25519, secret).map_err(|_| Unspecified)?;
    key.compute_public_key()?.as_ref().try_into().map(SealTo).map_err(|_| Unspecified)
}

/// Seals a secret for one place at one node. Each time the outcome is another.
///
/// # Errors
/// If nothing can be sealed to the key.
pub fn seal(to: &SealTo, place: &Place<'_>, secret: &[u8]) -> Result<Sealed, CannotSeal> {
    let key = HpkePublicKey(to.0.to_vec());
    let (enc, ct) = SUITE.seal(INFO, &place.bytes(), secret, &key).map_err(|_| CannotSeal)?;
    Ok(Sealed { enc: BASE64.encode(enc.0), ct: BASE64.encode(ct) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sortie_rules::ids::Id;
    use uuid::Uuid;

    fn node(number: u128) -> NodeId {
        Id::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn what_is_sealed_for_a_place_opens_there_with_the_node_s_key_and_nowhere_else() {
        let (key, other) = (OpeningKey::generate(), OpeningKey::generate());
        let (motd, hosts) = ("file/motd".parse().unwrap(), "file/hosts".parse().unwrap());
        let place = Place { node: node(1), generation: 7, resource: &motd, pointer: "/content" };
        let sealed = seal(key.seal_to(), &place, b"a password").unwrap();
        assert_eq!(key.open(&place, &sealed).unwrap(), b"a password");
        for elsewhere in [
            Place { node: node(2), ..place },
            Place { generation: 8, ..place },
            Place { resource: &hosts, ..place },
            Place { pointer: "/env/KEY", ..place },
        ] {
            assert_eq!(key.open(&elsewhere, &sealed), Err(CannotOpen::NotOurs), "{elsewhere:?}");
        }
        assert_eq!(other.open(&place, &sealed), Err(CannotOpen::NotOurs));
        assert_ne!(seal(key.seal_to(), &place, b"a password").unwrap(), sealed, "it can be told that it is the same");
    }

    #[test]
    fn a_key_is_read_back_and_shows_nothing_of_itself() {
        let key = OpeningKey::generate();
        let again = OpeningKey::from_bytes(key.secret_bytes()).unwrap();
        assert_eq!(again.seal_to(), key.seal_to());
        assert_eq!(key.seal_to().to_string().parse(), Ok(key.seal_to().clone()));
        assert!(!format!("{key:?}").contains(&hex::encode(key.secret_bytes())));
        assert!(OpeningKey::from_bytes(&[0; 31]).is_err());
        for wrong in ["", "short", &format!("{}=", key.seal_to()), &"A".repeat(44)] {
            assert_eq!(wrong.parse::<SealTo>(), Err(BadKey), "{wrong}");
        }
        // A point with which no secret can be agreed upon.
        let nobody = URL_SAFE_NO_PAD.encode([0; 32]).parse::<SealTo>().unwrap();
        let motd = "file/motd".parse().unwrap();
        let place = Place { node: node(1), generation: 1, resource: &motd, pointer: "/content" };
        assert_eq!(seal(&nobody, &place, b"x"), Err(CannotSeal));
    }

    proptest! {
        #[test]
        fn whatever_is_handed_in_is_refused_and_never_a_panic(enc in ".{0,60}", ct in ".{0,60}", flip in 0usize..40) {
            let key = OpeningKey::generate();
            let motd = "file/motd".parse().unwrap();
            let place = Place { node: node(1), generation: 1, resource: &motd, pointer: "/content" };
            let opened = key.open(&place, &Sealed { enc, ct });
            prop_assert!(opened.is_err());
            let sealed = seal(key.seal_to(), &place, b"a password").unwrap();
            let mut ct = BASE64.decode(&sealed.ct).unwrap();
            let at = flip % ct.len();
            ct[at] ^= 1;
            let changed = Sealed { ct: BASE64.encode(ct), ..sealed };
            prop_assert_eq!(key.open(&place, &changed), Err(CannotOpen::NotOurs));
        }
    }
}
