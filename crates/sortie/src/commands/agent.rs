//! `sortie agent`: enrols this machine and runs its agent. All of it is the agent's own command
//! line, the same as in the slim program `sortie-agent`.

use std::process::ExitCode;

use clap::Args;
use sortie_agent::cli::{self, AgentCommand};

use crate::context::Context;
use crate::supervised;

/// What `sortie agent` takes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sortie agent enroll --data /var/lib/sortie-agent --invite INVITE\n  \
                        sortie agent run --data /var/lib/sortie-agent")]
pub(crate) struct AgentNoun {
    #[command(subcommand)]
    verb: AgentCommand,
    /// Stop when stdin ends: for supervisors whose end shall be the agent's end too
    #[arg(long, hide = true, global = true)]
    until_stdin_closes: bool,
}

/// Does it, on the agent's own runtime and with its own log.
pub(crate) fn run(agent: AgentNoun, context: &Context) -> ExitCode {
    if agent.until_stdin_closes {
        supervised::stop_when_stdin_closes();
    }
    let mut verb = agent.verb;
    match &mut verb {
        AgentCommand::Enroll(enroll) => enroll.json |= context.output.json(),
        AgentCommand::Refused(refused) => refused.json |= context.output.json(),
        AgentCommand::Operators(operators) => operators.json |= context.output.json(),
        AgentCommand::Run(_) | AgentCommand::Helper(_) => {}
    }
    cli::run(verb, context.clock.clone(), context.entropy.clone()).into()
}
