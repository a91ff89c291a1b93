//! The master key: a file of the operator's that seals the hub's keys in a database.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::Entropy;
use crate::identity::AuthorityError;
use crate::identity::sealing::Root;

/// Length of a master key.
const KEY_BYTES: usize = 32;
/// Who but the owner may use the file, in the bits of its mode: nobody.
const OTHERS: u32 = 0o077;

/// Seals the hub's keys.
#[derive(Debug, Clone)]
pub(crate) struct MasterKey {
    root: Arc<Root>,
    file: PathBuf,
}

/// A master key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// None is named.
    #[error(
        "hubs on a PostgreSQL database share their keys there, sealed with a master key: make one with `sortie hub \
         master-key FILE`, give each hub a copy, and name it: master_key_file in hub.toml or SORTIE_HUB_MASTER_KEY_FILE"
    )]
    NotNamed,
    /// None is named, and a store that was on PostgreSQL has its keys sealed.
    #[error(
        "this store's keys are sealed with the master key that its hubs had on PostgreSQL: name that file once more, \
         master_key_file in hub.toml or SORTIE_HUB_MASTER_KEY_FILE; from then on the keys are in the data folder"
    )]
    NotNamedToUnseal,
    /// The file cannot be read or written.
    #[error("the master key {}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is one already.
    #[error("{} is there already, and is not written over: it may be what opens a hub's keys", .0.display())]
    Exists(PathBuf),
    /// Others may read it.
    #[error("the master key {0} may be read by others; keep it to its owner: chmod 600 {0}")]
    Open(String),
    /// It holds something else.
    #[error("{} holds no master key: 64 hex digits, as `sortie hub master-key FILE` writes them", .0.display())]
    Unreadable(PathBuf),
}

impl MasterKey {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<MasterKey, MasterKeyError> {
        let io = |source| MasterKeyError::Io { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(io)?;
        if metadata.permissions().mode() & OTHERS != 0 {
            return Err(MasterKeyError::Open(path.display().to_string()));
        }
        let text = std::fs::read_to_string(path).map_err(io)?;
        let mut key = [0; KEY_BYTES];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| MasterKeyError::Unreadable(path.to_owned()))?;
        Ok(MasterKey { root: Arc::new(Root::new(&key)), file: path.to_owned() })
    }

    pub(super) fn seal(&self, name: &str, plain: &[u8]) -> Vec<u8> {
        self.root.seal(&noun(name), plain)
    }

    pub(super) fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>, AuthorityError> {
        self.root.open(&noun(name), sealed).map_err(|_| AuthorityError::Sealed(self.file.display().to_string()))
    }
}

fn noun(name: &str) -> String {
    format!("hub-keys/{name}")
}

/// Makes a master key in a new file that only its owner may read.
pub fn make_master_key(path: &Path) -> Result<(), MasterKeyError> {
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => MasterKeyError::Exists(path.to_owned()),
        _ => MasterKeyError::Io { path: path.to_owned(), source },
    };
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).map_err(io)?;
    let text = hex::encode(Entropy::default().bytes::<KEY_BYTES>()) + "\n";
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_is_made_once_read_by_its_owner_and_opens_what_it_has_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("master.key");
        make_master_key(&file).unwrap();
        assert!(matches!(make_master_key(&file), Err(MasterKeyError::Exists(_))), "it is not written over");
        let key = MasterKey::read(&file).unwrap();
        let sealed = key.seal("keys/a", b"secret");
        assert_eq!(MasterKey::read(&file).unwrap().open("keys/a", &sealed).unwrap(), b"secret");
        assert!(matches!(key.open("keys/b", &sealed), Err(AuthorityError::Sealed(_))), "under its own name only");
        let other = folder.path().join("other.key");
        make_master_key(&other).unwrap();
        assert!(matches!(MasterKey::read(&other).unwrap().open("keys/a", &sealed), Err(AuthorityError::Sealed(_))));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(MasterKey::read(&file), Err(MasterKeyError::Open(_))));
        std::fs::write(&other, "abc").unwrap();
        assert!(matches!(MasterKey::read(&other), Err(MasterKeyError::Unreadable(_))));
        assert!(matches!(MasterKey::read(&folder.path().join("none")), Err(MasterKeyError::Io { .. })));
    }
}
