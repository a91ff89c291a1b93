//! Why a store was not backed up, restored, copied or migrated.

use std::io;
use std::path::PathBuf;

use sortie_store::{OpenError, StoreError};

use crate::data_folder::DataFolderError;
use crate::fault::Fault;
use crate::identity::MasterKeyError;

/// Why it was not done. Nothing that was there before has been changed.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// A database cannot be opened, or is not what it should be.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// There is no hub's data.
    #[error("{} holds no store of a hub; name the hub's data folder", .0.display())]
    NoHub(PathBuf),
    /// A file cannot be read or written.
    #[error("{what}: {source}")]
    Io {
        /// Which file, and what was done to it.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// The file is no backup.
    #[error("{} is no backup of a hub: {why}", .file.display())]
    NotABackup {
        /// Which file.
        file: PathBuf,
        /// What is seen.
        why: String,
    },
    /// The backup is not what it was.
    #[error("the backup {} is damaged: {why}. Nothing was restored; take another copy of it", .file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// Where and how.
        why: String,
    },
    /// A newer program made the backup.
    #[error(
        "the backup has schema {backup} and was made by sortie {version}; this program knows schema {program}. \
         Restore it with that version or a newer one"
    )]
    Newer {
        /// The backup's schema.
        backup: i64,
        /// Who made it.
        version: String,
        /// The newest schema here.
        program: i64,
    },
    /// There is something where the restored hub would be.
    #[error(
        "{} holds a hub already ({found}). A backup is restored into an empty data folder: name another with --data, \
         or move this one away",
        .data.display()
    )]
    NotEmpty {
        /// The data folder.
        data: PathBuf,
        /// What is there.
        found: String,
    },
    /// What arrived is not what was sent.
    #[error("`{table}` has {arrived} after the copy and not {sent}. Nothing was kept; this should be reported")]
    Differs {
        /// Which table.
        table: String,
        /// What was read at the source.
        sent: String,
        /// What was read at the target.
        arrived: String,
    },
    /// The keys change while they are read.
    #[error("the hub's keys changed whenever they were read; a rotation is under way, try again in a minute")]
    KeysMove,
    /// A master key cannot be used.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// Keys were to be sealed that lie in the data folder.
    #[error(
        "only hubs on a PostgreSQL database have their keys sealed with a master key; name the database, database_url \
         in hub.toml or SORTIE_HUB_DATABASE_URL. On SQLite they are in the data folder, keys/"
    )]
    Unsealed,
    /// There are no keys to seal.
    #[error("there are no sealed keys in this database: no hub has run on it with a master key")]
    NoKeys,
    /// The master key that was named is not the one with which the keys are sealed.
    #[error(
        "{} is not the master key with which the hub's keys in this database are sealed; nothing was changed. Name the \
         file that the hubs have",
        .0.display()
    )]
    OtherMasterKey(PathBuf),
    /// The store is older than this program, and not to be migrated on the way.
    #[error("this program would migrate the store first: use the program of the hubs, or `sortie migrate` before")]
    Pending,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl UpkeepError {
    /// Whether something was named that cannot be used, and not something went wrong with what can.
    pub fn is_the_caller_s(&self) -> bool {
        matches!(
            self,
            UpkeepError::NoHub(_)
                | UpkeepError::NotABackup { .. }
                | UpkeepError::Newer { .. }
                | UpkeepError::NotEmpty { .. }
                | UpkeepError::MasterKey(_)
                | UpkeepError::Unsealed
                | UpkeepError::NoKeys
                | UpkeepError::OtherMasterKey(_)
                | UpkeepError::Pending
                | UpkeepError::DataFolder(
                    DataFolderError::InUse(_) | DataFolderError::HalfRestored(_) | DataFolderError::Agents(_)
                )
                | UpkeepError::Open(
                    OpenError::Location { .. }
                        | OpenError::Certificates { .. }
                        | OpenError::NoStore
                        | OpenError::NotEmpty { .. }
                        | OpenError::InUse { .. }
                )
        )
    }

    /// Whether something that was to be verified does not hold.
    pub fn does_not_hold(&self) -> bool {
        matches!(self, UpkeepError::Damaged { .. } | UpkeepError::Differs { .. })
    }

    /// A failure of the system on this file.
    pub(super) fn io(what: impl std::fmt::Display) -> impl FnOnce(io::Error) -> UpkeepError {
        let what = what.to_string();
        move |source| UpkeepError::Io { what, source }
    }
}

impl From<Fault> for UpkeepError {
    fn from(fault: Fault) -> UpkeepError {
        match fault {
            Fault::Store(error) => UpkeepError::Store(error),
            other => UpkeepError::Other(other.to_string()),
        }
    }
}
