//! The master key: a file of the operator's that seals the hub's keys in a database.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::clock::Entropy;
use crate::identity::sealing::Root;

/// Length of a master key.
const KEY_BYTES: usize = 32;
/// Who but the owner may use the file, in the bits of its mode: nobody.
const OTHERS: u32 = 0o077;

/// Seals the hub's keys.
#[derive(Debug, Clone)]
pub(crate) struct MasterKey {
    /// What was last read of the file.
    root: Arc<ArcSwap<Root>>,
    file: PathBuf,
}

/// What lies in a database, by name: sealed, or opened.
pub(super) type Entries = Vec<(String, Vec<u8>)>;

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
        Ok(MasterKey { root: Arc::new(ArcSwap::from_pointee(root_in(path)?)), file: path.to_owned() })
    }

    /// Seals each of these under its name.
    pub(super) fn seal_all(&self, plain: Entries) -> Entries {
        let root = self.root.load();
        let sealed = plain.into_iter().map(|(name, bytes)| (root.seal(&noun(&name), &bytes), name));
        sealed.map(|(sealed, name)| (name, sealed)).collect()
    }

    /// Opens all of these; `None` if there is one that was not sealed with this key under its name.
    pub(super) fn open_all(&self, sealed: &Entries) -> Option<BTreeMap<String, Vec<u8>>> {
        opened(&self.root.load(), sealed)
    }

    /// The same. If what was read of the file does not open them it is read again, since it may have been replaced.
    /// Says why they are not opened.
    pub(super) fn open_all_with_the_file(&self, sealed: &Entries) -> Result<BTreeMap<String, Vec<u8>>, String> {
        if let Some(opened) = self.open_all(sealed) {
            return Ok(opened);
        }
        let root = root_in(&self.file).map_err(|error| error.to_string())?;
        let opened = opened(&root, sealed).ok_or_else(|| self.does_not_open())?;
        self.root.store(Arc::new(root));
        Ok(opened)
    }

    /// That it is another key, and what to do.
    pub(super) fn does_not_open(&self) -> String {
        format!(
            "the master key {} does not open the hub's keys in this database; if they were sealed with another one \
             since (`sortie hub master-key NEW --in-place-of OLD`), name NEW; else this file is another hub's or was \
             damaged: take that of a hub that runs on this database, or for one that was restored, that of the time of \
             its backup",
            self.file.display()
        )
    }
}

fn root_in(path: &Path) -> Result<Root, MasterKeyError> {
    let io = |source| MasterKeyError::Io { path: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(io)?;
    if metadata.permissions().mode() & OTHERS != 0 {
        return Err(MasterKeyError::Open(path.display().to_string()));
    }
    let text = std::fs::read_to_string(path).map_err(io)?;
    let mut key = [0; KEY_BYTES];
    hex::decode_to_slice(text.trim(), &mut key).map_err(|_| MasterKeyError::Unreadable(path.to_owned()))?;
    Ok(Root::new(&key))
}

fn opened(root: &Root, sealed: &Entries) -> Option<BTreeMap<String, Vec<u8>>> {
    sealed.iter().map(|(name, bytes)| Some((name.clone(), root.open(&noun(name), bytes).ok()?))).collect()
}

fn noun(name: &str) -> String {
    format!("hub-keys/{name}")
}

/// Whether there is such a file. An empty one counts for none: whoever was killed before the key was written left it.
pub(crate) fn is_there(path: &Path) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Ok(file) => Ok(!file.is_file() || file.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes a master key in a new file that only its owner may read. It is on disk when this returns.
pub fn make_master_key(path: &Path) -> Result<(), MasterKeyError> {
    let io = |source: io::Error| MasterKeyError::Io { path: path.to_owned(), source };
    if is_there(path).map_err(io)? {
        return Err(MasterKeyError::Exists(path.to_owned()));
    }
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(io)?;
    file.set_permissions(Permissions::from_mode(0o600)).map_err(io)?;
    let text = hex::encode(Entropy::default().bytes::<KEY_BYTES>()) + "\n";
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    // That there is a file is on disk only once its folder is.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
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
        let cut_short = folder.path().join("cut-short.key");
        std::fs::write(&cut_short, "").unwrap();
        make_master_key(&cut_short).unwrap();
        MasterKey::read(&cut_short).unwrap();
        let key = MasterKey::read(&file).unwrap();
        let plain = vec![("keys/a".to_owned(), b"secret".to_vec())];
        let sealed = key.seal_all(plain.clone());
        let opened = MasterKey::read(&file).unwrap().open_all(&sealed).unwrap();
        assert_eq!(opened.into_iter().collect::<Entries>(), plain);
        let renamed = vec![("keys/b".to_owned(), sealed[0].1.clone())];
        assert!(key.open_all(&renamed).is_none(), "under its own name only");
        let other = folder.path().join("other.key");
        make_master_key(&other).unwrap();
        assert!(MasterKey::read(&other).unwrap().open_all(&sealed).is_none());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(MasterKey::read(&file), Err(MasterKeyError::Open(_))));
        std::fs::write(&other, "abc").unwrap();
        assert!(matches!(MasterKey::read(&other), Err(MasterKeyError::Unreadable(_))));
        assert!(matches!(MasterKey::read(&folder.path().join("none")), Err(MasterKeyError::Io { .. })));
    }

    #[test]
    fn a_file_that_is_replaced_is_read_again_when_it_is_needed_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let [file, other] = ["master.key", "other.key"].map(|name| folder.path().join(name));
        make_master_key(&file).unwrap();
        make_master_key(&other).unwrap();
        let (key, new) = (MasterKey::read(&file).unwrap(), MasterKey::read(&other).unwrap());
        let plain = vec![("keys/a".to_owned(), b"secret".to_vec())];
        let (before, after) = (key.seal_all(plain.clone()), new.seal_all(plain));
        assert!(key.open_all_with_the_file(&after).unwrap_err().contains("--in-place-of"));
        std::fs::copy(&other, &file).unwrap();
        key.open_all_with_the_file(&before).unwrap();
        assert!(key.open_all(&after).is_none(), "the key that opens what is there is kept");
        key.open_all_with_the_file(&after).unwrap();
        assert!(key.open_all(&before).is_none());
        std::fs::remove_file(&file).unwrap();
        assert!(key.open_all_with_the_file(&before).unwrap_err().contains("master.key"));
        key.open_all_with_the_file(&after).unwrap();
    }
}
