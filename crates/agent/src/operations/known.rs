//! Whom this site believes as its operators: one file in a data folder, the agent's or the helper's, read
//! where it is needed and replaced whole.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sortie_wire::envelope::Envelope;
use sortie_wire::operators::{NotBelieved, Operators};

use crate::data_folder::{FolderError, read_if_there, write_whole};

const FILE: &str = "operators.json";
const LOCK: &str = "operators.lock";

/// Whom a site believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nobody: every privileged task is refused.
    Nobody,
    /// The set with this fingerprint, which has yet to come.
    Pinned(String),
    /// These.
    Set(Box<Believed>),
}

/// A set that is believed, with the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Believed {
    /// The set.
    pub(crate) operators: Operators,
    /// The sets from the first one that was believed here to this one, for whoever follows later.
    pub(crate) links: Vec<Envelope>,
}

/// The file cannot be used. Nobody is believed until it can.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read or written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It was damaged.
    #[error(
        "{} is damaged: {why}; give the operators again with `sortie agent operators FILE --replace --data DIR`",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// The file as it is written. The last link is the set that is believed, by its fingerprint; without links,
/// the fingerprint is all that is known.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    fingerprint: String,
    links: Vec<Envelope>,
}

impl Known {
    /// Reads whom the site of this folder believes.
    pub(crate) fn read(folder: &Path) -> Result<Known, Unusable> {
        let path = folder.join(FILE);
        let Some(text) = read_if_there(&path)? else { return Ok(Known::Nobody) };
        let damaged = |why: String| Unusable::Damaged { path: path.clone(), why };
        let text: Text = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let Some(last) = text.links.last() else { return Ok(Known::Pinned(text.fingerprint)) };
        let operators =
            Operators::pinned(last, &text.fingerprint).map_err(|error: NotBelieved| damaged(error.to_string()))?;
        Ok(Known::Set(Box::new(Believed { operators, links: text.links })))
    }

    fn write(&self, folder: &Path) -> Result<(), Unusable> {
        let text = match self {
            Known::Nobody => return Ok(()),
            Known::Pinned(fingerprint) => Text { fingerprint: fingerprint.clone(), links: Vec::new() },
            Known::Set(believed) => {
                Text { fingerprint: believed.operators.fingerprint().to_owned(), links: believed.links.clone() }
            }
        };
        // Text and lists of text: writing it as JSON cannot fail.
        let json = serde_json::to_vec_pretty(&text).unwrap_or_default();
        let path = folder.join(FILE);
        write_whole(&path, &json)?;
        Ok(give(&path, folder)?)
    }

    /// The version of the set, 0 if there is none.
    pub(crate) fn version(&self) -> u64 {
        match self {
            Known::Nobody | Known::Pinned(_) => 0,
            Known::Set(believed) => believed.operators.set().version,
        }
    }

    /// The fingerprint that is believed, if any.
    pub(crate) fn fingerprint(&self) -> Option<&str> {
        match self {
            Known::Nobody => None,
            Known::Pinned(fingerprint) => Some(fingerprint),
            Known::Set(believed) => Some(believed.operators.fingerprint()),
        }
    }
}

/// Changes whom the site believes, while nobody else does: `decide` gets what stands, and says what shall
/// stand in its place, if anything. Returns what stands afterwards.
pub(crate) fn change<E: From<Unusable>>(
    folder: &Path,
    decide: impl FnOnce(Result<Known, Unusable>) -> Result<Option<Known>, E>,
) -> Result<Known, E> {
    let _turn = lock(folder)?;
    match decide(Known::read(folder))? {
        Some(next) => {
            next.write(folder)?;
            Ok(next)
        }
        None => Ok(Known::read(folder)?),
    }
}

/// What root writes belongs to whoever owns the folder, who has to read it.
fn give(path: &Path, folder: &Path) -> Result<(), FolderError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let given = std::fs::metadata(folder).and_then(|owner| chown(path, Some(owner.uid()), Some(owner.gid())));
    given.map_err(|source| FolderError::Io { path: path.to_owned(), source })
}

fn lock(folder: &Path) -> Result<File, Unusable> {
    let path = folder.join(LOCK);
    let attempt = || -> std::io::Result<File> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    let lock = attempt().map_err(|source| FolderError::Io { path: path.clone(), source })?;
    give(&path, folder)?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_kept_until_its_set_comes_and_a_damaged_file_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Known::read(folder.path()).unwrap(), Known::Nobody);
        let pinned = Known::Pinned("ab".repeat(32));
        let kept = change::<Unusable>(folder.path(), |known| {
            assert_eq!(known?, Known::Nobody);
            Ok(Some(pinned.clone()))
        });
        assert_eq!((kept.unwrap(), Known::read(folder.path()).unwrap()), (pinned.clone(), pinned));
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        assert!(Known::read(folder.path()).unwrap_err().to_string().contains("--replace"));
    }
}
