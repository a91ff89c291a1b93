//! The signed envelope: DSSE (Dead Simple Signing Envelope, version 1) with Ed25519.
//!
//! What is signed is the pre-authentication encoding of type and payload, so a signature over one
//! kind of message can never pass for another kind. The payload is bytes; it is parsed only after
//! a signature has been found to hold.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::keys::{KeySet, PublicKey};

/// The payload type of a delivery.
pub const DELIVERY: &str = "application/vnd.sortie.delivery+json";
/// The payload type of the hub's signed time.
pub const TIME: &str = "application/vnd.sortie.time+json";
/// The payload type of the head of an audit log.
pub const AUDIT_HEAD: &str = "application/vnd.sortie.audit-head+json";
/// The payload type of a key set.
pub const KEYS: &str = "application/vnd.sortie.keys+json";
/// Most signatures in one envelope.
pub(crate) const SIGNATURES_MAX: usize = 16;

/// A signed message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// What the payload is; part of what is signed.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// The message, in base64.
    pub payload: String,
    /// Signatures over type and message.
    pub signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Which key; see [`PublicKey::id`].
    pub keyid: String,
    /// The 64 bytes of the signature, in base64.
    pub sig: String,
}

impl Envelope {
    /// What it holds, whoever signed it: to say what is wrong with it, and never to act on.
    pub fn unverified_payload(&self) -> Option<Vec<u8>> {
        BASE64.decode(&self.payload).ok()
    }
}

/// Why an envelope is not believed, in the order in which it is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// It is damaged.
    #[error("the envelope is damaged")]
    Damaged,
    /// It holds another kind of message.
    #[error("the envelope holds another kind of message than the one expected")]
    OtherType,
    /// Nobody has signed it.
    #[error("nobody has signed the envelope")]
    Unsigned,
    /// No key that is trusted here has signed it.
    #[error("no key that is trusted here has signed the envelope")]
    UnknownKey,
    /// The signature does not fit the message.
    #[error("the signature does not fit the message")]
    BadSignature,
}

/// A private key that signs envelopes.
pub struct Signer {
    pair: Ed25519KeyPair,
    id: String,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}

/// The bytes are not an Ed25519 private key in PKCS#8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an Ed25519 private key in PKCS#8")]
pub struct NotAKey;

impl Signer {
    /// A signer from a private key in PKCS#8 DER.
    pub fn from_pkcs8(der: &[u8]) -> Result<Signer, NotAKey> {
        let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| NotAKey)?;
        let id = key_id(pair.public_key().as_ref());
        Ok(Signer { pair, id })
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        let key = BASE64.encode(self.pair.public_key().as_ref());
        PublicKey { id: self.id.clone(), algorithm: "ed25519".to_owned(), key }
    }

    /// Adds a signature over what an envelope holds already.
    pub fn also_sign(&self, envelope: &mut Envelope) -> Result<(), Distrust> {
        let signed = self.sign(&envelope.payload_type, &envelope.unverified_payload().ok_or(Distrust::Damaged)?);
        envelope.signatures.extend(signed.signatures);
        Ok(())
    }

    /// Signs a message.
    pub fn sign(&self, payload_type: &str, message: &[u8]) -> Envelope {
        Envelope {
            payload_type: payload_type.to_owned(),
            payload: BASE64.encode(message),
            signatures: vec![self.sign_apart(payload_type, message)],
        }
    }

    /// Signs a message that travels by other means: the signature alone.
    pub fn sign_apart(&self, payload_type: &str, message: &[u8]) -> Signature {
        let sig = self.pair.sign(&pre_authentication_encoding(payload_type, message));
        Signature { keyid: self.id.clone(), sig: BASE64.encode(sig.as_ref()) }
    }
}

/// Keys whose signatures are believed.
pub struct Verifier {
    keys: Vec<(String, ParsedPublicKey)>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

impl Verifier {
    /// A verifier for the keys of a set.
    pub fn new(set: &KeySet) -> Result<Verifier, NotAKey> {
        let mut keys = Vec::with_capacity(set.keys.len());
        for key in &set.keys {
            let raw = BASE64.decode(&key.key).map_err(|_| NotAKey)?;
            if key.algorithm != "ed25519" || key.id != key_id(&raw) {
                return Err(NotAKey);
            }
            keys.push((key.id.clone(), ParsedPublicKey::new(&ED25519, raw).map_err(|_| NotAKey)?));
        }
        Ok(Verifier { keys })
    }

    /// The message, if one of the keys has signed it as this type.
    pub fn open(&self, envelope: &Envelope, payload_type: &str) -> Result<Vec<u8>, Distrust> {
        let is_whole = |signature: &Signature| BASE64.decode(&signature.sig).is_ok();
        if envelope.signatures.len() > SIGNATURES_MAX || !envelope.signatures.iter().all(is_whole) {
            return Err(Distrust::Damaged);
        }
        let message = BASE64.decode(&envelope.payload).map_err(|_| Distrust::Damaged)?;
        if envelope.payload_type != payload_type {
            return Err(Distrust::OtherType);
        }
        if envelope.signatures.is_empty() {
            return Err(Distrust::Unsigned);
        }
        self.check(payload_type, &message, &envelope.signatures).map(|()| message)
    }

    /// Whether one of the keys has signed this message as this type.
    pub fn check(&self, payload_type: &str, message: &[u8], signatures: &[Signature]) -> Result<(), Distrust> {
        let signed = pre_authentication_encoding(payload_type, message);
        let mut verdict = Distrust::UnknownKey;
        for signature in signatures {
            let Some((_, key)) = self.keys.iter().find(|(id, _)| *id == signature.keyid) else { continue };
            let sig = BASE64.decode(&signature.sig).map_err(|_| Distrust::Damaged)?;
            match key.verify_sig(&signed, &sig) {
                Ok(()) => return Ok(()),
                Err(_) => verdict = Distrust::BadSignature,
            }
        }
        Err(verdict)
    }
}

/// The id of a raw public key.
pub fn key_id(raw: &[u8]) -> String {
    hex::encode(&digest(&SHA256, raw).as_ref()[..16])
}

/// DSSE's encoding of what is signed: `DSSEv1 LEN(type) type LEN(body) body`.
pub fn pre_authentication_encoding(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let mut encoded = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), body.len()).into_bytes();
    encoded.extend_from_slice(body);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use proptest::prelude::*;

    fn signer() -> Signer {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Signer::from_pkcs8(der.as_ref()).unwrap()
    }
    fn trusting(signer: &Signer) -> Verifier {
        Verifier::new(&KeySet { version: 1, keys: vec![signer.public_key()], ..KeySet::default() }).unwrap()
    }

    #[test]
    fn the_encoding_is_the_one_of_the_dsse_specification() {
        let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn a_signed_message_opens_with_the_key_and_the_type_it_was_signed_for() {
        let signer = signer();
        let envelope = signer.sign(DELIVERY, b"work");
        assert_eq!(trusting(&signer).open(&envelope, DELIVERY).unwrap(), b"work");
        assert_eq!(trusting(&signer).open(&envelope, TIME), Err(Distrust::OtherType));
        let relabelled = Envelope { payload_type: TIME.to_owned(), ..envelope };
        assert_eq!(trusting(&signer).open(&relabelled, TIME), Err(Distrust::BadSignature));
    }

    #[test]
    fn a_stranger_s_signature_counts_for_nothing() {
        let envelope = signer().sign(DELIVERY, b"work");
        assert_eq!(trusting(&signer()).open(&envelope, DELIVERY), Err(Distrust::UnknownKey));
        let unsigned = Envelope { signatures: vec![], ..envelope };
        assert_eq!(trusting(&signer()).open(&unsigned, DELIVERY), Err(Distrust::Unsigned));
    }

    #[test]
    fn what_is_wrong_twice_is_told_by_what_is_looked_for_first() {
        let (signer, stranger) = (signer(), signer());
        let opened = |envelope: &Envelope| trusting(&signer).open(envelope, DELIVERY).unwrap_err();
        let mut envelope = stranger.sign(TIME, b"work");
        envelope.payload.push('!');
        assert_eq!(opened(&envelope), Distrust::Damaged, "and another kind");
        envelope.payload.pop();
        let unsigned = Envelope { signatures: vec![], ..envelope.clone() };
        assert_eq!(opened(&unsigned), Distrust::OtherType, "and unsigned");
        let mut forged = Envelope { payload_type: DELIVERY.to_owned(), ..envelope };
        assert_eq!(opened(&forged), Distrust::UnknownKey, "and the signature does not fit");
        forged.signatures[0].sig = "?".to_owned();
        assert_eq!(opened(&forged), Distrust::Damaged, "and an unknown key");
    }

    proptest! {
        #[test]
        fn no_flipped_bit_goes_unnoticed(
            message in proptest::collection::vec(any::<u8>(), 1..200),
            place: prop::sample::Index,
            bit in 0u8..8,
        ) {
            let signer = signer();
            let envelope = signer.sign(DELIVERY, &message);
            let mut text = serde_json::to_vec(&envelope).unwrap();
            let at = place.index(text.len());
            text[at] ^= 1 << bit;
            if let Ok(damaged) = serde_json::from_slice::<Envelope>(&text) {
                let opened = trusting(&signer).open(&damaged, DELIVERY);
                prop_assert!(opened.is_err() || opened.as_ref() == Ok(&message), "{opened:?}");
            }
        }
    }
}
