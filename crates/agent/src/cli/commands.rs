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
    /// Show whom this site believes as its operators, or say whom it shall
    Operators(OperatorsCommand),
    /// Run, as root, the programs that the policy gives to other users
    Helper(HelperCommand),
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
    /// The operators whom the site believes: a file with their sets, or the fingerprint of one
    #[arg(long, value_name = "FILE|FINGERPRINT", env = "SORTIE_OPERATORS")]
    pub operators: Option<String>,
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

/// Show whom this site believes as its operators, or say whom it shall.
#[derive(Debug, Clone, Args)]
pub struct OperatorsCommand {
    /// Whom it shall believe: a file with their sets, or the fingerprint of one that the hub may hand on
    #[arg(value_name = "FILE|FINGERPRINT")]
    pub operators: Option<String>,
    /// The data folder, the agent's or the helper's
    #[arg(long, value_name = "DIR", env = "SORTIE_AGENT_DATA")]
    pub data: PathBuf,
    /// Also if they do not follow those whom it believes now
    #[arg(long, requires = "operators")]
    pub replace: bool,
    /// The settings; DIR/agent.toml if it exists
    #[arg(long, value_name = "FILE", env = "SORTIE_AGENT_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print them as JSON
    #[arg(long)]
    pub json: bool,
}

/// Run the programs that the policy gives to other users: a small service of root's, without the network.
#[derive(Debug, Clone, Args)]
pub struct HelperCommand {
    /// Its own folder
    #[arg(long, value_name = "DIR", env = "SORTIE_HELPER_DATA")]
    pub data: PathBuf,
    /// The agent's data folder
    #[arg(long, value_name = "DIR")]
    pub agent_data: PathBuf,
    /// The policy, which nobody but root may change; the agent's policy.toml if absent
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The socket; DIR/helper.sock if absent
    #[arg(long, value_name = "FILE")]
    pub socket: Option<PathBuf>,
    /// The user as whom the agent runs; whoever owns its data folder if absent
    #[arg(long, value_name = "NAME")]
    pub agent_user: Option<String>,
    /// The operators whom it believes from its first start on; it follows those whom they sign by itself
    #[arg(long, value_name = "FILE")]
    pub operators: Option<PathBuf>,
}
