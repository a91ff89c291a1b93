//! A key in a file: the public half in the open, the private half under a passphrase (argon2id, then
//! AES-256-GCM bound to the public half).

use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sortie_client::Entropy;
use sortie_wire::ssh::SshKey;

use crate::exit::Failure;
use crate::find_hub::write_private;

/// Shortest passphrase, in bytes.
pub(crate) const PASSPHRASE_BYTES_MIN: usize = 8;
/// What a new key's passphrase costs to try: 64 MiB, three passes, one lane.
const COST: Cost = Cost { memory_kib: 64 << 10, passes: 3, lanes: 1 };
/// What a key's passphrase may cost at most, so that a file from a stranger does not fill the memory.
const COST_MAX: Cost = Cost { memory_kib: 1 << 20, passes: 20, lanes: 8 };
/// The form of the file.
const FORM: u32 = 1;

/// A key's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyFile {
    sortie_operator_key: u32,
    /// What the operator is called.
    pub(crate) name: String,
    /// The public half.
    pub(crate) public: SshKey,
    cost: Cost,
    salt: String,
    nonce: String,
    sealed: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// A key whose passphrase was given.
pub(crate) struct OpenedKey {
    pair: Ed25519KeyPair,
    pub(super) public: SshKey,
}

impl std::fmt::Debug for OpenedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedKey({})", self.public.fingerprint())
    }
}

impl KeyFile {
    /// A new key under this passphrase.
    pub(crate) fn make(name: &str, passphrase: &str, entropy: &Entropy) -> Result<KeyFile, Failure> {
        let seed: [u8; 32] = entropy.bytes();
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|error| Failure::other(error.to_string()))?;
        let public = public_of(&pair)?;
        let salt: [u8; 16] = entropy.bytes();
        let mut sealed = seed.to_vec();
        let nonce = sealing_key(passphrase, &salt, COST)?
            .seal_in_place_append_tag(Aad::from(public.encoded()), &mut sealed)
            .map_err(|_| Failure::other("the key could not be sealed"))?;
        Ok(KeyFile {
            sortie_operator_key: FORM,
            name: name.to_owned(),
            public,
            cost: COST,
            salt: BASE64.encode(salt),
            nonce: BASE64.encode(nonce.as_ref()),
            sealed: BASE64.encode(sealed),
        })
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<KeyFile, Failure> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("the operator's key {shown} cannot be read: {error}"))
                .remedy("`sortie keys new` makes one; --key names another file, --ssh-agent a key of an SSH agent")
        })?;
        let file = KeyFile::parse(&text).map_err(|error| {
            let failure = Failure::usage(format!("{shown} is no operator's key: {error}"));
            if text.starts_with("-----BEGIN") {
                return failure
                    .remedy("keys of OpenSSH are used by way of an SSH agent: `ssh-add FILE`, then --ssh-agent");
            }
            failure
        })?;
        if file.sortie_operator_key != FORM {
            return Err(Failure::usage(format!("{shown} is a key of another version of sortie")));
        }
        Ok(file)
    }

    /// Reads its text, whatever version of sortie it is of.
    pub(crate) fn parse(text: &str) -> serde_json::Result<KeyFile> {
        serde_json::from_str(text)
    }

    /// Salt, nonce and sealed key, if they can be that and the passphrase costs no more than may be.
    pub(crate) fn parts(&self) -> Result<[Vec<u8>; 3], Failure> {
        let damaged = || Failure::usage("the operator's key is damaged; restore its file from a backup");
        let Cost { memory_kib, passes, lanes } = self.cost;
        if memory_kib > COST_MAX.memory_kib || passes > COST_MAX.passes || lanes > COST_MAX.lanes {
            return Err(damaged());
        }
        let bytes = |text: &str| BASE64.decode(text).map_err(|_| damaged());
        let parts = [bytes(&self.salt)?, bytes(&self.nonce)?, bytes(&self.sealed)?];
        if parts[1].len() == NONCE_LEN { Ok(parts) } else { Err(damaged()) }
    }

    /// Writes the file, for its owner only. A file that is there stays as it is.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        if path.exists() {
            return Err(Failure::usage(format!("{} is there already", path.display()))
                .remedy("name another file with --out; a key that is lost cannot be made again"));
        }
        let text = serde_json::to_string_pretty(self).map_err(|error| Failure::other(error.to_string()))?;
        write_private(path, &(text + "\n"))
            .map_err(|error| Failure::other(format!("{} cannot be written: {error}", path.display())))
    }

    /// The key, if this is its passphrase.
    pub(crate) fn open(&self, passphrase: &str) -> Result<OpenedKey, Failure> {
        let damaged = || Failure::usage("the operator's key is damaged; restore its file from a backup");
        let [salt, nonce, mut sealed] = self.parts()?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| damaged())?;
        let seed = sealing_key(passphrase, &salt, self.cost)?
            .open_in_place(nonce, Aad::from(self.public.encoded()), &mut sealed)
            .map_err(|_| Failure::usage("the passphrase is not the one of this key"))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| damaged())?;
        if public_of(&pair)? != self.public {
            return Err(damaged());
        }
        Ok(OpenedKey { pair, public: self.public.clone() })
    }
}

impl OpenedKey {
    /// The signature of a text, as SSH encodes it.
    pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
        let mut proof = Vec::new();
        put(&mut proof, self.public.algorithm().as_str().as_bytes());
        put(&mut proof, self.pair.sign(text).as_ref());
        proof
    }
}

fn public_of(pair: &Ed25519KeyPair) -> Result<SshKey, Failure> {
    let mut encoded = Vec::new();
    put(&mut encoded, sortie_wire::ssh::Algorithm::Ed25519.as_str().as_bytes());
    put(&mut encoded, pair.public_key().as_ref());
    SshKey::decode(&encoded).map_err(|error| Failure::other(error.to_string()))
}

pub(super) use sortie_wire::ssh::put;

fn sealing_key(passphrase: &str, salt: &[u8], cost: Cost) -> Result<RandomizedNonceKey, Failure> {
    let unusable = |error: String| Failure::usage(format!("the operator's key cannot be used: {error}"));
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32));
    let params = params.map_err(|error| unusable(error.to_string()))?;
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, &mut key)
        .map_err(|error| unusable(error.to_string()))?;
    RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|error| unusable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_wire::operators::{open_operation, sign_operation, text_of_operation, unsigned};

    #[test]
    fn a_key_is_opened_with_its_passphrase_alone_and_signs_what_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let made = KeyFile::make("ada", "correct horse", &crate::clock::entropy()).unwrap();
        made.write(&path).unwrap();
        assert!(format!("{:?}", made.write(&path).unwrap_err()).contains("is there already"));
        let read = KeyFile::read(&path).unwrap();
        assert!(format!("{:?}", read.open("wrong horse").unwrap_err()).contains("passphrase is not"));
        let key = read.open("correct horse").unwrap();
        let mut envelope = unsigned(sortie_wire::operations::OPERATION, b"{}");
        sign_operation(&mut envelope, key.public.clone(), key.sign(&text_of_operation(b"{}")));
        assert_eq!(open_operation(&envelope).unwrap().keys, [made.public]);
        std::fs::write(&path, "-----BEGIN OPENSSH PRIVATE KEY-----\n").unwrap();
        assert!(format!("{:?}", KeyFile::read(&path).unwrap_err()).contains("ssh-add"));
    }

    #[test]
    fn a_file_that_somebody_changed_is_not_used() {
        let made = KeyFile::make("ada", "correct horse", &crate::clock::entropy()).unwrap();
        let other = KeyFile::make("eve", "correct horse", &crate::clock::entropy()).unwrap();
        let swapped = KeyFile { public: other.public, ..made.clone() };
        assert!(swapped.open("correct horse").is_err());
        let greedy = KeyFile { cost: Cost { memory_kib: u32::MAX, ..COST }, ..made };
        assert!(format!("{:?}", greedy.open("correct horse").unwrap_err()).contains("damaged"));
    }
}
