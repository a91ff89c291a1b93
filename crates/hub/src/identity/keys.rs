//! The hub's own secret, from which all others are derived.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Entropy;
use crate::data_folder::{DataFolder, DataFolderError};

/// Length of the key from which secrets are derived.
const ROOT_BYTES: usize = 32;

/// The secret that a hub keeps in `keys/secrets.key`.
#[derive(Debug)]
pub(crate) struct Keys {
    root: hmac::Key,
    hub_id: String,
}

/// Something sealed that was opened is not what was sealed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotSealed;

/// A secret that is shown once and kept only as a hash.
pub(crate) struct Secret(String);

impl Secret {
    /// The text that is shown.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
    /// One that was drawn, and can be had once only.
    pub(crate) fn draw(entropy: &Entropy) -> Secret {
        Secret(URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()))
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
    /// Loads it, making it at the first start.
    pub(crate) fn load(data: &DataFolder, entropy: &Entropy) -> Result<Keys, DataFolderError> {
        let root_file = "keys/secrets.key";
        let root = data.read_or_make(root_file, || entropy.bytes::<ROOT_BYTES>().to_vec())?;
        if root.len() != ROOT_BYTES {
            // Another key would make every token and invite void, and an empty one would let them be guessed.
            return Err(damaged(data, root_file, format!("it has {} bytes and not {ROOT_BYTES}", root.len())));
        }
        let root = hmac::Key::new(hmac::HMAC_SHA256, &root);
        let hub_id = hex::encode(&hmac::sign(&root, b"sortie/hub-id").as_ref()[..16]);
        Ok(Keys { root, hub_id })
    }

    /// What this hub calls itself in assertions. It stays when keys and certificates rotate, and is the same
    /// for all hubs on one database, which share what it is derived from.
    pub(crate) fn hub_id(&self) -> &str {
        &self.hub_id
    }

    /// Makes bytes unreadable to all but this hub, for what must be kept elsewhere: in the store, or in a
    /// browser. `noun` says what it is, and nothing else is opened in its place.
    pub(crate) fn seal(&self, noun: &str, plain: &[u8]) -> Vec<u8> {
        let mut text = plain.to_vec();
        let nonce = self.sealing_key(noun).seal_in_place_append_tag(Aad::from(noun.as_bytes()), &mut text);
        let nonce = nonce.expect("so few bytes can be sealed");
        [&nonce.as_ref()[..], &text].concat()
    }

    /// Reads what was sealed.
    pub(crate) fn open(&self, noun: &str, sealed: &[u8]) -> Result<Vec<u8>, NotSealed> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(NotSealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotSealed)?;
        let mut text = text.to_vec();
        let plain = self.sealing_key(noun).open_in_place(nonce, Aad::from(noun.as_bytes()), &mut text);
        plain.map(|plain| plain.to_vec()).map_err(|_| NotSealed)
    }

    fn sealing_key(&self, noun: &str) -> RandomizedNonceKey {
        let key = hmac::sign(&self.root, format!("sortie/seal/{noun}").as_bytes());
        RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).expect("a hash has the length of a key")
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
    fn what_is_sealed_is_opened_as_the_same_thing_only() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load(&DataFolder::open(folder.path()).unwrap(), &Entropy::default()).unwrap();
        let sealed = keys.seal("session", b"refresh");
        assert_eq!(keys.open("session", &sealed), Ok(b"refresh".to_vec()));
        assert_ne!(sealed, keys.seal("session", b"refresh"), "the same is not seen to be the same");
        assert_eq!(keys.open("sign-in", &sealed), Err(NotSealed));
        let mut changed = sealed.clone();
        changed[NONCE_LEN] ^= 1;
        for bad in [&changed[..], &sealed[..10], &[], &sealed[1..]] {
            assert_eq!(keys.open("session", bad), Err(NotSealed));
        }
    }

    #[test]
    fn a_key_that_was_cut_is_named_and_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        Keys::load(&data, &Entropy::default()).unwrap();
        let file = "keys/secrets.key";
        let whole = std::fs::read(data.file(file)).unwrap();
        std::fs::write(data.file(file), b"").unwrap();
        let refusal = Keys::load(&data, &Entropy::default()).unwrap_err().to_string();
        assert!(refusal.contains(file) && refusal.contains("restore it from a backup"), "{refusal}");
        std::fs::write(data.file(file), whole).unwrap();
        Keys::load(&data, &Entropy::default()).unwrap();
    }
}
