//! The hub's data folder: who may use it, and the files in it that other programs read.
//!
//! `hub.lock` (held while a hub runs), `sortie.db`, `keys/` (private keys, mode 0600),
//! `admin.token` (mode 0600), while a restore goes on `restoring/`, and for commands on the same machine `ca.pem`
//! and `hub.url`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// Another hub has it.
    #[error("another hub runs on the data folder {}; stop it first, or give this one its own", .0.display())]
    InUse(PathBuf),
    /// A restore into it was cut short.
    #[error(
        "a restore into the data folder {} was cut short, so there is no whole hub in it; run `sortie restore` with \
         the same options again: it begins anew",
        .0.display()
    )]
    HalfRestored(PathBuf),
    /// An agent's folder.
    #[error("{} is the data folder of an agent; give the hub one of its own", .0.display())]
    Agents(PathBuf),
    /// It cannot be read or written.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What lies in a data folder while a hub is restored into it.
pub(crate) const RESTORING: &str = "restoring";

/// What that is called when it is over, until it is removed.
pub(crate) const RESTORE_OVER: &str = "restoring.over";

/// Refuses a folder in which a restore was cut short.
pub(crate) fn is_whole(path: &Path) -> Result<(), DataFolderError> {
    match path.join(RESTORING).exists() {
        true => Err(DataFolderError::HalfRestored(path.to_owned())),
        false => Ok(()),
    }
}

/// The files of a data folder.
#[derive(Debug, Clone)]
pub(crate) struct Files(PathBuf);

/// A data folder that this process holds.
#[derive(Debug)]
pub(crate) struct DataFolder {
    files: Files,
    /// Held for its lock, which ends with the process however that ends.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if need be and takes its lock.
    pub(crate) fn open(path: &Path) -> Result<DataFolder, DataFolderError> {
        let folder = DataFolder::open_to_restore(path)?;
        is_whole(path)?;
        let over = path.join(RESTORE_OVER);
        match fs::remove_dir_all(&over) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(DataFolderError::Io { path: over, source }),
            _ => Ok(folder),
        }
    }

    /// The same for a restore, which begins anew where one was cut short.
    pub(crate) fn open_to_restore(path: &Path) -> Result<DataFolder, DataFolderError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| DataFolderError::Io { path, source }
        };
        if path.join("identity/node.json").exists() {
            return Err(DataFolderError::Agents(path.to_owned()));
        }
        for folder in [path.to_owned(), path.join("keys")] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(fail(&folder))?;
        }
        let file = path.join("hub.lock");
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&file).map_err(fail(&file))?;
        match lock.try_lock() {
            Ok(()) => Ok(DataFolder { files: Files(path.to_owned()), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(DataFolderError::Io { path: file, source }),
        }
    }

    /// Its files.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }
}

impl std::ops::Deref for DataFolder {
    type Target = Files;

    fn deref(&self) -> &Files {
        &self.files
    }
}

impl Files {
    /// The path of a file.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of the files in one of its folders.
    pub(crate) fn list(&self, folder: &str) -> Result<Vec<String>, DataFolderError> {
        let path = self.file(folder);
        let fail = |source| DataFolderError::Io { path: path.clone(), source };
        let entries = fs::read_dir(&path).map_err(fail)?.flatten();
        Ok(entries.filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), DataFolderError> {
        let path = self.file(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(DataFolderError::Io { path, source }),
            _ => Ok(()),
        }
    }

    /// Reads a file; `None` if it is not there.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DataFolderError> {
        let path = self.file(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(DataFolderError::Io { path, source }),
        }
    }

    /// Writes a file whole or not at all, on disk before this returns. Nobody but the owner may read
    /// it. A file that says the same already is left alone.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DataFolderError> {
        if self.read(name)?.is_some_and(|there| there == bytes) {
            return Ok(());
        }
        let path = self.file(name);
        write_whole(&path, bytes).map_err(|source| DataFolderError::Io { path, source })
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("writing");
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The rename itself is on disk only once the folder is.
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_hub_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();
        assert!(matches!(DataFolder::open(folder.path()), Err(DataFolderError::InUse(_))));
        drop(first);
        assert!(DataFolder::open(folder.path()).is_ok());
    }

    #[test]
    fn a_folder_in_which_a_restore_was_cut_short_is_for_another_restore_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(RESTORING)).unwrap();
        assert!(matches!(DataFolder::open(folder.path()), Err(DataFolderError::HalfRestored(_))));
        assert!(DataFolder::open_to_restore(folder.path()).is_ok());
    }

    #[test]
    fn a_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        data.write("keys/x", &[1]).unwrap();
        assert_eq!(data.read("keys/x").unwrap(), Some(vec![1]));
        assert_eq!(fs::metadata(data.file("keys/x")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
