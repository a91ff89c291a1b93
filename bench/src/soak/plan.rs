//! What is asked of a soak.

use clap::Args;

/// A steady mixture for `--minutes`, with restarts, and a verdict
#[derive(Debug, Clone, Args)]
pub(crate) struct Soak {
    /// How many agents there are
    #[arg(long, value_name = "COUNT", default_value_t = 32)]
    pub(crate) agents: usize,
    /// How many single tasks are submitted in a second; batches and jobs come to them
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    pub(crate) rate: u32,
    /// How often the hub is looked at
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) every: u32,
    /// Print lines of JSON and no table
    #[arg(long)]
    pub(crate) json: bool,
}
