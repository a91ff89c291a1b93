//! The agent's private key: Ed25519, made here, kept here.

use std::fmt;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ED25519};

use crate::data_folder::{FolderError, read_if_there, write_whole};

/// The agent's private key.
pub(crate) struct NodeKey {
    pair: KeyPair,
}

/// The key cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// What stands in the file is not a key of ours.
    #[error("the key of this agent cannot be used ({0}); restore it from a backup, or enrol anew in an empty folder")]
    Unusable(String),
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeKey(withheld)")
    }
}

impl NodeKey {
    /// The key in this file; made, and on disk, if there is none yet.
    pub(crate) fn load_or_make(path: &Path) -> Result<NodeKey, KeyError> {
        if let Some(key) = NodeKey::load(path)? {
            return Ok(key);
        }
        let pair = KeyPair::generate_for(&PKCS_ED25519).map_err(unusable)?;
        write_whole(path, pair.serialize_pem().as_bytes())?;
        Ok(NodeKey { pair })
    }

    /// The key in this file, if there is one.
    pub(crate) fn load(path: &Path) -> Result<Option<NodeKey>, KeyError> {
        let Some(pem) = read_if_there(path)? else { return Ok(None) };
        let pair = KeyPair::from_pem(&pem).map_err(unusable)?;
        if !pair.is_compatible(&PKCS_ED25519) {
            return Err(KeyError::Unusable("it is not an Ed25519 key".to_owned()));
        }
        Ok(Some(NodeKey { pair }))
    }

    /// A certificate request (PKCS#10, PEM) for it. The hub decides on every name, so there is none in it.
    pub(crate) fn certificate_request(&self) -> Result<String, KeyError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&self.pair).map_err(unusable)?;
        request.pem().map_err(unusable)
    }

    /// The SHA-256 of the public key, in hex, as the hub and operators name it.
    pub(crate) fn fingerprint(&self) -> String {
        hex::encode(digest(&SHA256, self.pair.public_key_raw()))
    }

    /// PKCS#8, PEM.
    pub(crate) fn pem(&self) -> String {
        self.pair.serialize_pem()
    }
}

fn unusable(error: rcgen::Error) -> KeyError {
    KeyError::Unusable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_printed_never() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("key.pem");
        assert!(NodeKey::load(&path).unwrap().is_none());
        let made = NodeKey::load_or_make(&path).unwrap();
        let again = NodeKey::load_or_make(&path).unwrap();
        assert_eq!(made.pem(), again.pem());
        assert!(made.certificate_request().unwrap().starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
        assert_eq!(format!("{made:?}"), "NodeKey(withheld)");
        std::fs::write(&path, "nonsense").unwrap();
        assert!(NodeKey::load(&path).is_err());
    }
}
