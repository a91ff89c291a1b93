//! SSH signatures (SSHSIG, version 1): a key, the namespace for which it signed, and the signature.
//!
//! What is signed names the namespace and a hash of the message, so that a signature for one purpose counts
//! for no other. The format is the one of `ssh-keygen -Y sign`; its text is in base64, without armour.

use aws_lc_rs::digest::{SHA256, SHA512, digest};

use super::key::{Algorithm, SshKey};
use super::text::{Reader, put};

const MAGIC: &[u8] = b"SSHSIG";
const VERSION: u32 = 1;
const HASH: &str = "sha512";
/// Largest signature that is read, in bytes: many times what the keys that are taken here make.
const SIGNATURE_BYTES_MAX: usize = 4096;
/// The flag with which a hardware key says that somebody touched it.
const SOMEBODY_WAS_THERE: u8 = 0x01;

/// A signature with the key that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSignature {
    key: SshKey,
    namespace: String,
    hash: String,
    /// The signature proper, as SSH encodes it.
    proof: Vec<u8>,
}

/// It does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSshSignature {
    /// It cannot be read.
    #[error("this is not an SSH signature")]
    Unreadable,
    /// It was made for another purpose.
    #[error("the signature was made for another purpose")]
    OtherNamespace,
    /// It does not fit the message.
    #[error("the signature does not fit what it is for")]
    Wrong,
    /// A hardware key signed without being touched.
    #[error("the hardware key signed without being touched")]
    NobodyWasThere,
}

/// What a key signs for a message: with a key at hand, or by way of an SSH agent.
pub fn signed_text(namespace: &str, message: &[u8]) -> Vec<u8> {
    text_of(namespace, HASH, digest(&SHA512, message).as_ref())
}

fn text_of(namespace: &str, hash: &str, hashed: &[u8]) -> Vec<u8> {
    let mut text = MAGIC.to_vec();
    put(&mut text, namespace.as_bytes());
    put(&mut text, b"");
    put(&mut text, hash.as_bytes());
    put(&mut text, hashed);
    text
}

impl SshSignature {
    /// Puts a signature together; `proof` is what a key or an SSH agent gave for [`signed_text`].
    pub fn new(key: SshKey, namespace: &str, proof: Vec<u8>) -> SshSignature {
        SshSignature { key, namespace: namespace.to_owned(), hash: HASH.to_owned(), proof }
    }

    /// Reads one.
    pub fn decode(bytes: &[u8]) -> Result<SshSignature, BadSshSignature> {
        Self::read(bytes).ok_or(BadSshSignature::Unreadable)
    }

    fn read(bytes: &[u8]) -> Option<SshSignature> {
        let mut reader = Reader::new(bytes);
        if bytes.len() > SIGNATURE_BYTES_MAX || reader.bytes(MAGIC.len())? != MAGIC || reader.number()? != VERSION {
            return None;
        }
        let key = SshKey::decode(reader.string()?).ok()?;
        let namespace = reader.word()?.to_owned();
        let reserved = reader.string()?;
        let hash = reader.word()?.to_owned();
        let proof = reader.string()?.to_vec();
        reader.end()?;
        reserved.is_empty().then_some(SshSignature { key, namespace, hash, proof })
    }

    /// Its encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        put(&mut bytes, self.key.encoded());
        put(&mut bytes, self.namespace.as_bytes());
        put(&mut bytes, b"");
        put(&mut bytes, self.hash.as_bytes());
        put(&mut bytes, &self.proof);
        bytes
    }

    /// The key that says to have made it.
    pub fn key(&self) -> &SshKey {
        &self.key
    }

    /// Whether its key made it, for this purpose and this message.
    pub fn verify(&self, namespace: &str, message: &[u8]) -> Result<(), BadSshSignature> {
        if self.namespace != namespace {
            return Err(BadSshSignature::OtherNamespace);
        }
        let hashed = match self.hash.as_str() {
            "sha512" => digest(&SHA512, message),
            "sha256" => digest(&SHA256, message),
            _ => return Err(BadSshSignature::Unreadable),
        };
        let text = text_of(namespace, &self.hash, hashed.as_ref());
        let proof = Proof::read(self.key.algorithm(), &self.proof).ok_or(BadSshSignature::Unreadable)?;
        let (signed, was_touched) = match &self.key.application {
            None => (text, true),
            Some(application) => {
                let mut signed = digest(&SHA256, application.as_bytes()).as_ref().to_vec();
                signed.push(proof.flags);
                signed.extend_from_slice(&proof.counter.to_be_bytes());
                signed.extend_from_slice(digest(&SHA256, &text).as_ref());
                (signed, proof.flags & SOMEBODY_WAS_THERE != 0)
            }
        };
        let key = self.key.verifying().ok_or(BadSshSignature::Unreadable)?;
        key.verify_sig(&signed, &proof.raw).map_err(|_| BadSshSignature::Wrong)?;
        if was_touched { Ok(()) } else { Err(BadSshSignature::NobodyWasThere) }
    }
}

/// The signature proper.
struct Proof {
    /// 64 bytes, whichever the algorithm.
    raw: [u8; 64],
    /// What a hardware key adds.
    flags: u8,
    counter: u32,
}

impl Proof {
    fn read(algorithm: Algorithm, proof: &[u8]) -> Option<Proof> {
        let mut reader = Reader::new(proof);
        if reader.word()? != algorithm.as_str() {
            return None;
        }
        let inner = reader.string()?;
        let raw = match algorithm {
            Algorithm::Ed25519 | Algorithm::HardwareEd25519 => inner.try_into().ok()?,
            Algorithm::Ecdsa | Algorithm::HardwareEcdsa => {
                let mut numbers = Reader::new(inner);
                let (r, s) = (numbers.whole_number::<32>()?, numbers.whole_number::<32>()?);
                numbers.end()?;
                let mut raw = [0; 64];
                raw[..32].copy_from_slice(&r);
                raw[32..].copy_from_slice(&s);
                raw
            }
        };
        let (flags, counter) = match algorithm {
            Algorithm::Ed25519 | Algorithm::Ecdsa => (0, 0),
            Algorithm::HardwareEd25519 | Algorithm::HardwareEcdsa => {
                (reader.bytes(1)?.first().copied()?, reader.number()?)
            }
        };
        reader.end()?;
        Some(Proof { raw, flags, counter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use proptest::prelude::*;

    const NAMESPACE: &str = "operation@sortie";
    const MESSAGE: &[u8] = b"a message";
    /// Made by `ssh-keygen -Y sign -n operation@sortie`, with the fingerprint that `ssh-keygen -l` gives.
    const MADE_ELSEWHERE: [(&str, &str); 2] = [
        (
            "SHA256:n0oJIHI15UiPJeTIifP/KfTNe0G4tev8wErnXpvxsDU",
            "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgYO8mfHCTQWIU/vDWHbELBNDDBro9XfDxyZABASjqMfkAAA\
             AQb3BlcmF0aW9uQHNvcnRpZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEAO/2m9fh+jTz7zh3Sw\
             KWbzfIphT3dfbC17IzRDnE1qZAW60rI8vo7Op6Y9opmslQh5gsHS8uUm0k6IoFkVIycC",
        ),
        (
            "SHA256:81oZuqc19R3kmEztGiGc5cNnHtvkBjfuNxr9+JraquE",
            "U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAEEEeMHp688nv+QeLY4BFS\
             OSAQMUll6R8eRUUe/aWfChVysxToHuKNDUAECn5/IoUP1yEDcyyAOkMrt6nchmhY+9wwAAABBvcGVyYXRpb25Ac29y\
             dGllAAAAAAAAAAZzaGE1MTIAAABjAAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAABIAAAAIEOb0BaSxTs4hvz+A54W7r\
             Djk2iWgNatkUv866L2LyQWAAAAIBFUSl+YpG6gmm7z4Ae0YbV9qI+H3Rx2tQokSD214VY+",
        ),
    ];

    fn made_elsewhere() -> [Vec<u8>; 2] {
        MADE_ELSEWHERE.map(|(_, text)| BASE64.decode(text).unwrap())
    }

    /// What a hardware key gives, with a key in its place.
    fn by_hardware(flags: u8, algorithm: Algorithm) -> SshSignature {
        const APPLICATION: &[u8] = b"ssh:";
        let mut signed = digest(&SHA256, APPLICATION).as_ref().to_vec();
        signed.extend_from_slice(&[flags, 0, 0, 0, 9]);
        signed.extend_from_slice(digest(&SHA256, &signed_text(NAMESPACE, MESSAGE)).as_ref());
        let random = SystemRandom::new();
        let (mut encoded, mut inner) = (Vec::new(), Vec::new());
        put(&mut encoded, algorithm.as_str().as_bytes());
        if algorithm == Algorithm::HardwareEd25519 {
            let pair = Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref()).unwrap();
            put(&mut encoded, pair.public_key().as_ref());
            inner.extend_from_slice(pair.sign(&signed).as_ref());
        } else {
            let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref()).unwrap();
            put(&mut encoded, b"nistp256");
            put(&mut encoded, pair.public_key().as_ref());
            let raw = pair.sign(&random, &signed).unwrap();
            for half in raw.as_ref().chunks(32) {
                let mut digits: Vec<u8> = half.iter().copied().skip_while(|digit| *digit == 0).collect();
                if digits[0] & 0x80 != 0 {
                    digits.insert(0, 0);
                }
                put(&mut inner, &digits);
            }
        }
        put(&mut encoded, APPLICATION);
        let mut proof = Vec::new();
        put(&mut proof, algorithm.as_str().as_bytes());
        put(&mut proof, &inner);
        proof.extend_from_slice(&[flags, 0, 0, 0, 9]);
        SshSignature::new(SshKey::decode(&encoded).unwrap(), NAMESPACE, proof)
    }

    #[test]
    fn what_ssh_keygen_signed_holds_for_its_purpose_and_its_message_alone() {
        for (bytes, (fingerprint, _)) in made_elsewhere().iter().zip(MADE_ELSEWHERE) {
            let signature = SshSignature::decode(bytes).unwrap();
            assert_eq!(signature.key().fingerprint(), fingerprint);
            assert_eq!(signature.verify(NAMESPACE, MESSAGE), Ok(()));
            assert_eq!(signature.verify("file", MESSAGE), Err(BadSshSignature::OtherNamespace));
            assert_eq!(signature.verify(NAMESPACE, b"another"), Err(BadSshSignature::Wrong));
            assert_eq!(&signature.encode(), bytes);
            assert_eq!(signature.key().to_string().parse::<SshKey>().as_ref(), Ok(signature.key()));
        }
    }

    #[test]
    fn a_hardware_key_counts_if_somebody_touched_it() {
        for algorithm in [Algorithm::HardwareEd25519, Algorithm::HardwareEcdsa] {
            let read = |flags| SshSignature::decode(&by_hardware(flags, algorithm).encode()).unwrap();
            assert_eq!(read(1).verify(NAMESPACE, MESSAGE), Ok(()));
            assert_eq!(read(0).verify(NAMESPACE, MESSAGE), Err(BadSshSignature::NobodyWasThere));
            assert_eq!(read(1).verify(NAMESPACE, b"another"), Err(BadSshSignature::Wrong));
        }
    }

    #[test]
    fn a_key_of_another_kind_is_not_taken() {
        assert_eq!(
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA=".parse::<SshKey>(),
            Err(super::super::NotAnSshKey::OtherKind)
        );
        let ed25519 = SshSignature::decode(&made_elsewhere()[0]).unwrap().key().to_string();
        let relabelled = ed25519.replace("ssh-ed25519 ", "ecdsa-sha2-nistp256 ");
        for text in ["", "ssh-ed25519", "ssh-ed25519 !", &relabelled] {
            assert_eq!(text.parse::<SshKey>(), Err(super::super::NotAnSshKey::Unreadable), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_flipped_bit_goes_unnoticed(which in 0usize..2, place: prop::sample::Index, bit in 0u8..8) {
            let mut bytes = made_elsewhere()[which].clone();
            let key = SshSignature::decode(&bytes).unwrap().key().clone();
            let at = place.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let held = SshSignature::decode(&bytes)
                .is_ok_and(|read| *read.key() == key && read.verify(NAMESPACE, MESSAGE).is_ok());
            prop_assert!(!held);
        }
    }
}
