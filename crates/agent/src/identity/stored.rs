//! The identity as it lies in the data folder: `identity/{key.pem, certificate.pem, node.json}`.
//!
//! `node.json` is written last: where it stands, the agent is enrolled. Each file is replaced whole. What the
//! agent believes of its hub stands in `node.json` alone, so that a crash leaves the former key set or the
//! next one, and never a part.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sortie_client as client;
use sortie_rules::ids::NodeId;
use sortie_rules::time::Millis;
use sortie_wire::enrollment::Certificate;
use sortie_wire::keys::KeySet;

use super::key::{KeyError, NodeKey};
use crate::data_folder::{FolderError, read_if_there, write_whole};

/// An enrolled agent's identity.
#[derive(Debug)]
pub struct Identity {
    folder: PathBuf,
    key: NodeKey,
    certificate_pem: String,
    node: NodeRecord,
}

/// What is known of the enrolment beside key and certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeRecord {
    /// The node's id.
    pub(crate) node: NodeId,
    /// Its name.
    pub(crate) name: String,
    /// The hub's address.
    pub(crate) hub: String,
    /// What the hub calls itself in assertions.
    pub(crate) hub_id: String,
    /// The highest version of the protocol that was spoken with this hub.
    #[serde(default)]
    pub(crate) protocol: u32,
    /// From when the certificate holds.
    pub(crate) certificate_from: Millis,
    /// Until when it holds.
    pub(crate) certificate_until: Millis,
    /// The keys with which the hub signs.
    pub(crate) keys: KeySet,
}

/// The identity cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is none.
    #[error(
        "the agent in {} is not enrolled; make an invite at the hub with `sortie invite create --node NAME` and use \
         it here with `sortie agent enroll`", .0.display()
    )]
    NotEnrolled(PathBuf),
    /// The key is at fault.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file has been damaged.
    #[error("{} is damaged: {why}; restore it from a backup, or enrol anew in an empty folder", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Identity {
    /// Whether an identity stands in this data folder.
    pub(crate) fn is_there(data: &Path) -> Result<bool, FolderError> {
        Ok(read_if_there(&folder(data).join("node.json"))?.is_some())
    }

    /// The key of this data folder, from a former try or made now.
    pub(crate) fn key(data: &Path) -> Result<NodeKey, IdentityError> {
        let folder = folder(data);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|source| FolderError::Io { path: folder.clone(), source })?;
        Ok(NodeKey::load_or_make(&folder.join("key.pem"))?)
    }

    /// Keeps what the hub gave at the enrolment.
    pub(crate) fn create(
        data: &Path,
        key: NodeKey,
        certificate: &Certificate,
        node: NodeRecord,
    ) -> Result<Identity, IdentityError> {
        let identity = Identity { folder: folder(data), key, certificate_pem: certificate.chain.clone(), node };
        identity.write()?;
        Ok(identity)
    }

    /// Reads who the node is and whom it believes, without its secrets.
    pub(crate) fn record(data: &Path) -> Result<NodeRecord, IdentityError> {
        let path = folder(data).join("node.json");
        let json = read_if_there(&path)?.ok_or_else(|| IdentityError::NotEnrolled(data.to_owned()))?;
        serde_json::from_str(&json).map_err(|error| IdentityError::Damaged { path, why: error.to_string() })
    }

    /// Reads the identity of this data folder.
    pub fn load(data: &Path) -> Result<Identity, IdentityError> {
        let folder = folder(data);
        let node = Identity::record(data)?;
        // Without it the node proves itself otherwise, and gets another one.
        let certificate_pem = read_if_there(&folder.join("certificate.pem"))?.unwrap_or_default();
        let path = folder.join("key.pem");
        let key = NodeKey::load(&path)?;
        let key = key.ok_or_else(|| IdentityError::Damaged { path, why: "it is not there".to_owned() })?;
        Ok(Identity { folder, key, certificate_pem, node })
    }

    /// Whether the certificate is one that can be shown.
    pub(crate) fn has_certificate(&self) -> Result<(), String> {
        self.proof().check_key()
    }

    /// Whether a certificate that came from the hub can take the place of this one.
    pub(crate) fn check(&self, certificate: &Certificate, now: Millis) -> Result<(), String> {
        let offered = client::Identity { chain_pem: certificate.chain.clone(), ..self.proof() };
        offered.check_issued(&self.node.node.to_string(), &self.node.keys.trust(), certificate.not_after, now)
    }

    /// Takes a renewed certificate, on disk first.
    pub(crate) fn renew(&mut self, certificate: &Certificate) -> Result<(), IdentityError> {
        self.certificate_pem = certificate.chain.clone();
        self.node.certificate_from = certificate.not_before;
        self.node.certificate_until = certificate.not_after;
        self.write()
    }

    /// Takes a newer key set that was verified from the one at hand. An older one changes nothing.
    pub(crate) fn take_keys(&mut self, keys: KeySet) -> Result<(), IdentityError> {
        if keys.version <= self.node.keys.version {
            return Ok(());
        }
        write_record(&self.folder, &NodeRecord { keys: keys.clone(), ..self.node.clone() })?;
        self.node.keys = keys;
        Ok(())
    }

    /// The fingerprint of the authority that issued the certificate: the last of its chain.
    pub(crate) fn issuer(&self) -> Option<String> {
        let last = self.certificate_pem.rfind("-----BEGIN")?;
        client::tls::fingerprint_of_pem(&self.certificate_pem[last..])
    }

    /// Notes that this version of the protocol was spoken, on disk first. A lower one changes nothing.
    pub(crate) fn speak(&mut self, protocol: u32) -> Result<(), IdentityError> {
        if protocol <= self.node.protocol {
            return Ok(());
        }
        self.node.protocol = protocol;
        self.write()
    }

    /// The highest version of the protocol that was spoken with this hub.
    pub(crate) fn protocol(&self) -> u32 {
        self.node.protocol
    }

    /// The node's id.
    pub fn node(&self) -> NodeId {
        self.node.node
    }
    /// The node's name.
    pub fn name(&self) -> &str {
        &self.node.name
    }
    /// The hub's address.
    pub fn hub(&self) -> &str {
        &self.node.hub
    }
    /// What the hub calls itself in assertions.
    pub fn hub_id(&self) -> &str {
        &self.node.hub_id
    }
    /// From when and until when the certificate holds.
    pub fn certificate_life(&self) -> (Millis, Millis) {
        (self.node.certificate_from, self.node.certificate_until)
    }
    /// The hub's keys.
    pub fn keys(&self) -> &KeySet {
        &self.node.keys
    }
    /// The fingerprint of the node's public key.
    pub(crate) fn key_fingerprint(&self) -> String {
        self.key.fingerprint()
    }
    /// A certificate request for the node's key.
    pub(crate) fn certificate_request(&self) -> Result<String, KeyError> {
        self.key.certificate_request()
    }
    /// Whom the agent believes.
    pub fn trust(&self) -> client::Trust {
        client::Trust::Pem(self.node.keys.trust())
    }
    /// What the agent proves itself with. Holds the private key: not for logs, not for the wire.
    pub fn proof(&self) -> client::Identity {
        client::Identity { chain_pem: self.certificate_pem.clone(), key_pem: self.key.pem() }
    }

    fn write(&self) -> Result<(), IdentityError> {
        write_whole(&self.folder.join("certificate.pem"), self.certificate_pem.as_bytes())?;
        write_record(&self.folder, &self.node)
    }
}

fn folder(data: &Path) -> PathBuf {
    data.join("identity")
}

/// Puts the record in place of the one before, in a folder `identity`.
pub(crate) fn write_record(folder: &Path, record: &NodeRecord) -> Result<(), IdentityError> {
    let path = folder.join("node.json");
    let text = serde_json::to_vec_pretty(record)
        .map_err(|error| IdentityError::Damaged { path: path.clone(), why: error.to_string() })?;
    Ok(write_whole(&path, &text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;
    use sortie_wire::keys::TrustedAuthority;

    fn record() -> NodeRecord {
        NodeRecord {
            node: Id::from_uuid(uuid::Uuid::from_u128(7)),
            name: "box".into(),
            hub: "https://hub.example".into(),
            hub_id: "h".into(),
            protocol: 0,
            certificate_from: Millis(1),
            certificate_until: Millis(3),
            keys: keys(2),
        }
    }
    fn keys(version: u64) -> KeySet {
        let authority = TrustedAuthority { fingerprint: "ab".into(), certificate: format!("PEM {version}") };
        KeySet { version, authorities: vec![authority], ..KeySet::default() }
    }
    fn certificate(until: i64) -> Certificate {
        Certificate { chain: format!("chain until {until}"), not_before: Millis(1), not_after: Millis(until) }
    }

    #[test]
    fn an_identity_is_read_back_as_it_was_kept_and_renewed() {
        let scratch = tempfile::tempdir().unwrap();
        let data = scratch.path();
        assert!(matches!(Identity::load(data), Err(IdentityError::NotEnrolled(_))));
        let key = Identity::key(data).unwrap();
        let mut made = Identity::create(data, key, &certificate(3), record()).unwrap();
        let read = Identity::load(data).unwrap();
        assert_eq!((read.node(), read.proof(), read.trust()), (made.node(), made.proof(), made.trust()));
        made.renew(&certificate(9)).unwrap();
        made.take_keys(keys(3)).unwrap();
        let read = Identity::load(data).unwrap();
        assert_eq!(read.certificate_life(), (Millis(1), Millis(9)));
        assert_eq!(read.trust(), client::Trust::Pem("PEM 3".into()));
        assert_eq!((read.keys().version, read.proof().chain_pem.as_str()), (3, "chain until 9"));
        assert!(Identity::is_there(data).unwrap());
    }

    #[test]
    fn an_older_key_set_never_replaces_a_newer_one() {
        let scratch = tempfile::tempdir().unwrap();
        let key = Identity::key(scratch.path()).unwrap();
        let mut made = Identity::create(scratch.path(), key, &certificate(3), record()).unwrap();
        made.take_keys(keys(1)).unwrap();
        assert_eq!(made.keys().version, 2);
        made.take_keys(keys(5)).unwrap();
        assert_eq!(Identity::load(scratch.path()).unwrap().keys().version, 5);
    }
}
