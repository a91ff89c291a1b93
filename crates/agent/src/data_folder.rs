//! The agent's data folder: everything of its own, for one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The folder, locked for this process until it is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Another process has it.
    #[error("another agent is running on {}; stop it first, or give this one a data folder of its own", .0.display())]
    InUse(PathBuf),
    /// The file system says no.
    #[error("the data folder {} cannot be used", .path.display())]
    Io {
        /// The file or folder at fault.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl DataFolder {
    /// Makes the folder if it is not there (mode 0700) and takes it for this process.
    pub(crate) fn open(path: &Path) -> Result<DataFolder, FolderError> {
        let fault = |source| FolderError::Io { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fault)?;
        let path = path.canonicalize().map_err(fault)?;
        let name = path.join("agent.lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&name);
        let lock = lock.map_err(|source| FolderError::Io { path: name.clone(), source })?;
        match lock.try_lock() {
            Ok(()) => Ok(DataFolder { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(path)),
            Err(TryLockError::Error(source)) => Err(FolderError::Io { path: name, source }),
        }
    }

    /// Its canonical path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Puts a whole file in place of another, or of none: after a crash either the old text is there or
/// the new one, never a part. Mode 0600.
pub(crate) fn write_whole(path: &Path, text: &[u8]) -> Result<(), FolderError> {
    let attempt = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let beside = path.with_added_extension("tmp");
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(text)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        File::open(folder)?.sync_all()
    };
    attempt().map_err(|source| FolderError::Io { path: path.to_owned(), source })
}

/// The text of a file, or `None` if there is no such file.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<String>, FolderError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FolderError::Io { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_serves_one_agent_at_a_time() {
        let scratch = tempfile::tempdir().unwrap();
        let first = DataFolder::open(&scratch.path().join("a")).unwrap();
        let refusal = DataFolder::open(first.path()).unwrap_err();
        assert!(refusal.to_string().contains("another agent is running on"), "{refusal}");
        let path = first.path().to_owned();
        drop(first);
        DataFolder::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_file_is_replaced_whole_and_for_its_owner_only() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("node.json");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(read_if_there(&path).unwrap().as_deref(), Some("two"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
        assert_eq!(read_if_there(&scratch.path().join("none")).unwrap(), None);
    }
}
