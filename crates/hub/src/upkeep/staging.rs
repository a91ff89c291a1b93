//! A data folder into which a hub is restored. Until everything is in its place a folder `restoring/` lies in it,
//! which no hub starts beside; what a restore that was cut short has left is cleared away by the next.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::fault::UpkeepError;
use super::key_files::{ADMIN_TOKEN, KEYS};
use crate::data_folder::{DataFolder, RESTORE_OVER, RESTORING};

/// The file that says which restore it is.
const MARKER: &str = "restore";
/// The files of an SQLite database.
const DATABASE: [&str; 4] = ["sortie.db", "sortie.db-wal", "sortie.db-shm", "sortie.db-journal"];

/// A data folder on its way to hold a hub.
#[derive(Debug)]
pub(super) struct Staging {
    data: PathBuf,
    /// Which restore this is; the one that was cut short, if there was one.
    pub(super) restore: String,
    /// Held while this is.
    _folder: DataFolder,
}

impl Staging {
    /// Takes an empty folder, or one in which a restore was cut short.
    pub(super) fn begin(data: &Path, restore: String) -> Result<Staging, UpkeepError> {
        let folder = DataFolder::open_to_restore(data)?;
        let begun = data.join(RESTORING);
        let earlier = fs::read_to_string(begun.join(MARKER)).ok().filter(|text| !text.is_empty());
        if begun.is_dir() {
            clear(data)?;
        } else if let Some(found) = occupied(data)? {
            return Err(UpkeepError::NotEmpty { data: data.to_owned(), found });
        }
        let restore = earlier.unwrap_or(restore);
        make_folder(&begun)?;
        make_folder(&begun.join(KEYS))?;
        write(&begun.join(MARKER), restore.as_bytes())?;
        sync(data)?;
        Ok(Staging { data: data.to_owned(), restore, _folder: folder })
    }

    /// Where something lies until it is put in its place.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.data.join(RESTORING).join(name)
    }

    /// Writes a file there.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), UpkeepError> {
        write(&self.path(name), bytes)
    }

    /// Puts everything in its place. From then on a hub may start.
    pub(super) fn settle(self) -> Result<(), UpkeepError> {
        sync(&self.path(KEYS))?;
        sync(&self.data.join(RESTORING))?;
        make_folder(&self.data.join(KEYS))?;
        for entry in fs::read_dir(self.path(KEYS)).map_err(UpkeepError::io(KEYS))?.flatten() {
            rename(&entry.path(), &self.data.join(KEYS).join(entry.file_name()))?;
        }
        sync(&self.data.join(KEYS))?;
        for name in [ADMIN_TOKEN, DATABASE[0]] {
            if self.path(name).exists() {
                rename(&self.path(name), &self.data.join(name))?;
            }
        }
        sync(&self.data)?;
        self.forget()
    }

    /// It is over. In one step, so that what says which restore it was is not gone while something still says that
    /// there is one.
    pub(super) fn forget(&self) -> Result<(), UpkeepError> {
        let over = self.data.join(RESTORE_OVER);
        rename(&self.data.join(RESTORING), &over)?;
        sync(&self.data)?;
        gone(fs::remove_dir_all(&over), RESTORE_OVER)
    }
}

/// What of a hub lies in the folder, if anything.
fn occupied(data: &Path) -> Result<Option<String>, UpkeepError> {
    let found = DATABASE.iter().chain(&[ADMIN_TOKEN]).find(|name| data.join(name).exists());
    if let Some(name) = found {
        return Ok(Some((*name).to_owned()));
    }
    match fs::read_dir(data.join(KEYS)) {
        Ok(mut entries) => Ok(entries.next().map(|_| format!("{KEYS}/"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(UpkeepError::Io { what: data.join(KEYS).display().to_string(), source }),
    }
}

/// Removes what a restore that was cut short has put here. The folder was empty before it.
fn clear(data: &Path) -> Result<(), UpkeepError> {
    for name in DATABASE.iter().chain(&[ADMIN_TOKEN]) {
        gone(fs::remove_file(data.join(name)), name)?;
    }
    for name in [KEYS, RESTORING, RESTORE_OVER] {
        gone(fs::remove_dir_all(data.join(name)), name)?;
    }
    Ok(())
}

fn gone(removed: io::Result<()>, name: &str) -> Result<(), UpkeepError> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(UpkeepError::io(name)(error)),
        _ => Ok(()),
    }
}

fn make_folder(path: &Path) -> Result<(), UpkeepError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(UpkeepError::io(path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), UpkeepError> {
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().map_err(UpkeepError::io(path.display()))
}

fn rename(from: &Path, to: &Path) -> Result<(), UpkeepError> {
    fs::rename(from, to).map_err(UpkeepError::io(to.display()))
}

fn sync(folder: &Path) -> Result<(), UpkeepError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(UpkeepError::io(folder.display()))
}
