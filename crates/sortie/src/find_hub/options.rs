//! The arguments with which a command is told where its hub is.

use std::path::PathBuf;

use clap::Args;

/// Where the hub is. Without either argument: SORTIE_HUB, SORTIE_TOKEN and SORTIE_CA, or the
/// profile in use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Which hub")]
pub(crate) struct HubOptions {
    /// The data folder of a hub on this machine
    #[arg(long, value_name = "DIR", global = true, conflicts_with = "profile")]
    pub(crate) data: Option<PathBuf>,

    /// A hub noted with `sortie profile add`; SORTIE_HUB, SORTIE_TOKEN and SORTIE_CA name one as well
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) profile: Option<String>,
}
