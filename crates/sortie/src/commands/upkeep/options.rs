//! Which hub: its data folder and its settings, as the hub itself takes them.

use std::path::PathBuf;

use clap::Args;
use sortie_hub::Settings;

use crate::commands::hub::settings_of;
use crate::exit::Failure;

/// The options that name it.
#[derive(Debug, Args)]
pub(super) struct Folder {
    /// The hub's data folder
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    /// The file with its settings [default: DIR/hub.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Folder {
    /// Its settings.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        settings_of(self.data.clone(), self.config.as_deref(), None)
    }
}
