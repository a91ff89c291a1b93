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

impl Keys {
    /// Loads the keys, making them at the first start.
    pub(crate) fn load(data: &DataFolder, entropy: &Entropy) -> Result<Keys, DataFolderError> {
        let make_signer = || {
            let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key can be made");
            der.as_ref().to_vec()
        };
        let signer_file = "keys/delivery.pk8";
        let signer = Signer::from_pkcs8(&data.read_or_make(signer_file, make_signer)?).map_err(|source| {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidData, source);
            DataFolderError::Io { path: data.file(signer_file), source }
        })?;
        let root = data.read_or_make("keys/secrets.key", || entropy.bytes::<32>().to_vec())?;
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
