//! The hub's own keys: one that signs deliveries, one from which secrets are derived.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sortie_wire::envelope::Signer;
use sortie_wire::keys::KeySet;

use crate::clock::Entropy;
use crate::data_folder::{DataFolder, DataFolderError};

/// Length of the key from which secrets are derived.
const ROOT_BYTES: usize = 32;

/// The keys that a hub keeps in `keys/`.
#[derive(Debug)]
pub(crate) struct Keys {
    signer: Signer,
    root: hmac::Key,
}

/// A secret that is shown once and kept only as a hash.
pub(crate) struct Secret(String);

impl Secret {
    /// The text that is shown.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
    /// What is kept.
    pub(crate) fn hash(&self) -> Vec<u8> {
        hash_secret(&self.0)
    }
}

/// The hash under which a secret is kept. Secrets have 256 bits of chance, so one plain hash is
/// enough: there is nothing to guess.
fn hash_secret(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

fn damaged(data: &DataFolder, file: &str, why: String) -> DataFolderError {
    let source = std::io::Error::new(std::io::ErrorKind::InvalidData, why + "; restore it from a backup");
    DataFolderError::Io { path: data.file(file), source }
}

impl Keys {
    /// Loads the keys, making them at the first start.
    pub(crate) fn load(data: &DataFolder, entropy: &Entropy) -> Result<Keys, DataFolderError> {
        let make_signer = || {
            let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key can be made");
            der.as_ref().to_vec()
        };
        let signer_file = "keys/delivery.pk8";
        let signer = Signer::from_pkcs8(&data.read_or_make(signer_file, make_signer)?)
            .map_err(|why| damaged(data, signer_file, why.to_string()))?;
        let root_file = "keys/secrets.key";
        let root = data.read_or_make(root_file, || entropy.bytes::<ROOT_BYTES>().to_vec())?;
        if root.len() != ROOT_BYTES {
            // Another key would make every token and invite void, and an empty one would let them be guessed.
            return Err(damaged(data, root_file, format!("it has {} bytes and not {ROOT_BYTES}", root.len())));
        }
        Ok(Keys { signer, root: hmac::Key::new(hmac::HMAC_SHA256, &root) })
    }

    /// What signs deliveries.
    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The public keys that agents check deliveries with.
    pub(crate) fn public(&self) -> KeySet {
        KeySet { version: 1, keys: vec![self.signer.public_key()] }
    }

    /// The secret that belongs to a thing. It is derived, not drawn, so that a repeated request can
    /// be given the same answer although nothing but a hash is kept.
    pub(crate) fn secret_of(&self, noun: &str, id: impl std::fmt::Display) -> Secret {
        let tag = hmac::sign(&self.root, format!("sortie/{noun}/{id}").as_bytes());
        Secret(URL_SAFE_NO_PAD.encode(tag.as_ref()))
    }
}

/// Whether `text` is the secret of which `hash` was kept. Takes the same time either way.
pub(crate) fn secret_fits(text: &str, hash: &[u8]) -> bool {
    verify_slices_are_equal(&hash_secret(text), hash).is_ok()
}

/// The SHA-256 of some bytes, in hex.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_cut_is_named_and_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        Keys::load(&data, &Entropy::default()).unwrap();
        for file in ["keys/secrets.key", "keys/delivery.pk8"] {
            let whole = std::fs::read(data.file(file)).unwrap();
            std::fs::write(data.file(file), b"").unwrap();
            let refusal = Keys::load(&data, &Entropy::default()).unwrap_err().to_string();
            assert!(refusal.contains(file) && refusal.contains("restore it from a backup"), "{refusal}");
            std::fs::write(data.file(file), whole).unwrap();
        }
        Keys::load(&data, &Entropy::default()).unwrap();
    }
}
