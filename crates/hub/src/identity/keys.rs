//! The hub's own secret, from which all others are derived.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::authority::AuthorityError;
use super::safe::Safe;
use super::sealing::{NotSealed, Root};
use crate::clock::Entropy;

/// Length of the key from which secrets are derived.
const ROOT_BYTES: usize = 32;
/// Where it is kept.
const ROOT_FILE: &str = "keys/secrets.key";

/// The secret that a hub keeps in `keys/secrets.key`.
#[derive(Debug)]
pub(crate) struct Keys {
    root: Root,
    hub_id: String,
}

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

impl Keys {
    /// Loads it, making it at the first start.
    pub(crate) async fn load(safe: &Safe, entropy: &Entropy) -> Result<Keys, AuthorityError> {
        let contents = safe.open().await?;
        let root = match contents.get(ROOT_FILE) {
            Some(root) => root.to_vec(),
            None => {
                let made = entropy.bytes::<ROOT_BYTES>().to_vec();
                match safe.change(&contents, vec![(ROOT_FILE.to_owned(), made.clone())], Vec::new()).await {
                    Ok(_) => made,
                    // Another hub on this database was quicker.
                    Err(AuthorityError::Changed) => return Box::pin(Keys::load(safe, entropy)).await,
                    Err(error) => return Err(error),
                }
            }
        };
        if root.len() != ROOT_BYTES {
            // Another key would make every token and invite void, and an empty one would let them be guessed.
            let why = format!("{ROOT_FILE} has {} bytes and not {ROOT_BYTES}", root.len());
            return Err(AuthorityError::Damaged(why));
        }
        let root = Root::new(&root);
        let hub_id = hex::encode(&root.derive("hub-id").as_ref()[..16]);
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
        self.root.seal(noun, plain)
    }

    /// Reads what was sealed.
    pub(crate) fn open(&self, noun: &str, sealed: &[u8]) -> Result<Vec<u8>, NotSealed> {
        self.root.open(noun, sealed)
    }

    /// The secret that belongs to a thing. It is derived, not drawn, so that a repeated request can
    /// be given the same answer although nothing but a hash is kept.
    pub(crate) fn secret_of(&self, noun: &str, id: impl std::fmt::Display) -> Secret {
        Secret(URL_SAFE_NO_PAD.encode(self.root.derive(&format!("{noun}/{id}")).as_ref()))
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
    use crate::data_folder::DataFolder;

    async fn load(folder: &std::path::Path) -> Result<Keys, AuthorityError> {
        let safe = Safe::Folder(DataFolder::open(folder).unwrap().files().clone());
        Keys::load(&safe, &Entropy::default()).await
    }

    #[tokio::test]
    async fn what_is_sealed_is_opened_as_the_same_thing_only() {
        let folder = tempfile::tempdir().unwrap();
        let keys = load(folder.path()).await.unwrap();
        let sealed = keys.seal("session", b"refresh");
        assert_eq!(keys.open("session", &sealed), Ok(b"refresh".to_vec()));
        assert_ne!(sealed, keys.seal("session", b"refresh"), "the same is not seen to be the same");
        assert_eq!(keys.open("sign-in", &sealed), Err(NotSealed));
        let mut changed = sealed.clone();
        changed[12] ^= 1;
        for bad in [&changed[..], &sealed[..10], &[], &sealed[1..]] {
            assert_eq!(keys.open("session", bad), Err(NotSealed));
        }
    }

    #[tokio::test]
    async fn a_key_that_was_cut_is_named_and_not_used() {
        let folder = tempfile::tempdir().unwrap();
        load(folder.path()).await.unwrap();
        let file = folder.path().join(ROOT_FILE);
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, b"").unwrap();
        let refusal = load(folder.path()).await.unwrap_err().to_string();
        assert!(refusal.contains(ROOT_FILE) && refusal.contains("from a backup"), "{refusal}");
        std::fs::write(&file, whole).unwrap();
        load(folder.path()).await.unwrap();
    }
}
