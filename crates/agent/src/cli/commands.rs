//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What an agent can be told on the command line.
#[derive(Debug, Clone, Subcommand)]
pub enum AgentCommand {
    /// Make this machine a node of a hub, with an invite
    Enroll(EnrollCommand),
    /// Run the agent until it is stopped
    Run(RunCommand),
    /// List what this site has refused, the newest last
    Refused(RefusedCommand),
}

/// Make this machine a node of a hub.
#[derive(Debug, Clone, Args)]
pub struct EnrollCommand {
    /// The data folder: key, certificate, policy and ledger will lie there
    #[arg(long, value_name = "DIR", env = "SORTIE_AGENT_DATA")]
    pub data: PathBuf,
    /// The invite, as `sortie invite create` prints it; `-` reads it from standard input
    #[arg(long, value_name = "INVITE", env = "SORTIE_INVITE", hide_env_values = true)]
    pub invite: String,
    /// The settings; DIR/agent.toml if it exists
    #[arg(long, value_name = "FILE", env = "SORTIE_AGENT_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// Run the agent.
#[derive(Debug, Clone, Args)]
pub struct RunCommand {
    /// The data folder
    #[arg(long, value_name = "DIR", env = "SORTIE_AGENT_DATA", required_unless_present = "print_config")]
    pub data: Option<PathBuf>,
    /// The settings; DIR/agent.toml if it exists
    #[arg(long, value_name = "FILE", env = "SORTIE_AGENT_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print every setting with its default, and end
    #[arg(long)]
    pub print_config: bool,
}

/// List what this site has refused.
#[derive(Debug, Clone, Args)]
pub struct RefusedCommand {
    /// The data folder
    #[arg(long, value_name = "DIR", env = "SORTIE_AGENT_DATA")]
    pub data: PathBuf,
    /// At most so many
    #[arg(long, value_name = "ROWS", default_value_t = 100)]
    pub limit: usize,
    /// Print each as a line of JSON
    #[arg(long)]
    pub json: bool,
}
