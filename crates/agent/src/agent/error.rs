//! Why an agent cannot start, or had to stop.

use crate::data_folder::FolderError;
use crate::hub::HubError;
use crate::identity::IdentityError;
use crate::ledger::LedgerError;
use crate::settings::UnreadableFile;

/// Why an agent cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It is not enrolled, or its identity is damaged.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The line to the hub cannot be set up.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A file that the settings name cannot be read.
    #[error(transparent)]
    File(#[from] UnreadableFile),
    /// A loop of the agent has ended by itself: a fault of the program.
    #[error("a part of the agent has failed: {0}")]
    Fault(String),
}
