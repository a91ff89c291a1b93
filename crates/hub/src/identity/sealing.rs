//! Makes bytes unreadable to all who have not the same root key, and derives secrets from it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;

/// A key from which others are derived, each for one use.
#[derive(Clone)]
pub(crate) struct Root(hmac::Key);

/// Something sealed that was opened is not what was sealed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotSealed;

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Root(withheld)")
    }
}

impl Root {
    /// From these bytes, which are chance.
    pub(super) fn new(key: &[u8]) -> Root {
        Root(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// What follows from the key for this use.
    pub(super) fn derive(&self, what: &str) -> hmac::Tag {
        hmac::sign(&self.0, format!("sortie/{what}").as_bytes())
    }

    /// Seals something. `noun` says what it is, and nothing else is opened in its place.
    pub(super) fn seal(&self, noun: &str, plain: &[u8]) -> Vec<u8> {
        let mut text = plain.to_vec();
        let nonce = self.sealing_key(noun).seal_in_place_append_tag(Aad::from(noun.as_bytes()), &mut text);
        let nonce = nonce.expect("so few bytes can be sealed");
        [&nonce.as_ref()[..], &text].concat()
    }

    /// Reads what was sealed.
    pub(super) fn open(&self, noun: &str, sealed: &[u8]) -> Result<Vec<u8>, NotSealed> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(NotSealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotSealed)?;
        let mut text = text.to_vec();
        let plain = self.sealing_key(noun).open_in_place(nonce, Aad::from(noun.as_bytes()), &mut text);
        plain.map(|plain| plain.to_vec()).map_err(|_| NotSealed)
    }

    fn sealing_key(&self, noun: &str) -> RandomizedNonceKey {
        let key = self.derive(&format!("seal/{noun}"));
        RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).expect("a hash has the length of a key")
    }
}
