//! The command line: its nouns, and who does what each of them asks.

use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::commands;
use crate::context::{Context, Env};
use crate::exit::{Done, EXIT_CODES, Failure};
use crate::output::Output;
use crate::{clock, demo, doctor};

const AFTER_HELP: &str = "\
First steps:
  sortie demo                                   see a whole fleet at work on this machine
  sortie hub --data hub                         start a hub of your own
  sortie invite create --node box --data hub    invite an agent; the invite is printed
  sortie agent enroll --data box --invite ...   on the other machine
  sortie agent run --data box
  sortie task submit sys.info --node box --wait --data hub

`sortie help exit-codes` says what the exit codes mean, `sortie doctor` what stands in the way.";

/// Runs work at sites that nobody can dial into
#[derive(Debug, Parser)]
#[command(name = "sortie", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(disable_help_subcommand = false, arg_required_else_help = true, subcommand_required = true)]
struct Cli {
    /// Print data as JSON, in the shapes of the hub's API
    #[arg(long, global = true, help_heading = "Output")]
    json: bool,

    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// See a hub and three agents at work, killed in mid-task, and nothing lost
    Demo(demo::Demo),
    /// Run a hub
    Hub(commands::hub::HubCommand),
    /// Enrol this machine and run its agent
    Agent(commands::agent::AgentNoun),
    /// Submit, watch and steer tasks
    Task(commands::task::TaskCommand),
    /// Run a task at many nodes, and follow how it goes
    Job(commands::job::JobCommand),
    /// List nodes, change what is meant for them, shut them out
    Node(commands::node::NodeCommand),
    /// List and name sites
    Site(commands::site::SiteCommand),
    /// Make the one-time secrets with which agents enrol
    Invite(commands::invite::InviteCommand),
    /// Make tokens for people and services
    Token(commands::token::TokenCommand),
    /// Read what happened
    Event(commands::event::EventCommand),
    /// Say who the token makes you, and at which hub
    Whoami(commands::whoami::WhoamiCommand),
    /// Write and check packs, the folders that add task types
    Pack(commands::pack::PackCommand),
    /// Keep the hubs that you work with
    Profile(commands::profile::ProfileCommand),
    /// Find out what stands between here and the hub
    Doctor(doctor::Doctor),
    /// Print completions for a shell
    Completions(commands::completions::CompletionsCommand),
    /// Say what the exit codes mean
    #[command(long_about = EXIT_CODES)]
    ExitCodes,
}

/// The whole command line, for completions, for its documentation and for the tests of it.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Does what the arguments ask and says with which code to end.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let env = Env::process();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() && arguments.iter().any(|argument| argument == "--json") => {
            return typed_wrongly(&error).end(Output::process(true, |name| env.get(name)));
        }
        Err(error) => error.exit(),
    };
    sortie_client::install_crypto();
    let output = Output::process(cli.json, |name| env.get(name));
    let context = Context { output, clock: clock::system(), entropy: clock::entropy(), env };
    match dispatch(cli.noun, &context) {
        Ok(code) => code,
        Err(failure) => failure.end(output),
    }
}

/// What clap says of arguments, as a failure like any other.
fn typed_wrongly(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let (what, how) = text.split_once("\n\n").unwrap_or((&text, ""));
    let failure = Failure::usage(what.strip_prefix("error: ").unwrap_or(what).trim());
    if how.is_empty() { failure } else { failure.remedy(how.trim()) }
}

fn dispatch(noun: Noun, context: &Context) -> Result<ExitCode, Failure> {
    match noun {
        // The roles that live long set up their own log, and the agent its own runtime.
        Noun::Hub(hub) => commands::hub::run(hub, context),
        Noun::Agent(agent) => return Ok(commands::agent::run(agent, context)),
        Noun::Completions(shell) => commands::completions::run(&shell, context),
        Noun::ExitCodes => context.output.line(EXIT_CODES),
        Noun::Profile(profile) => commands::profile::run(profile, context),
        Noun::Pack(pack) => commands::pack::run(pack, context),
        Noun::Demo(demo) => block_on(demo::run(demo, context)),
        Noun::Task(task) => block_on(commands::task::run(task, context)),
        Noun::Job(job) => block_on(commands::job::run(job, context)),
        Noun::Node(node) => block_on(commands::node::run(node, context)),
        Noun::Site(site) => block_on(commands::site::run(site, context)),
        Noun::Invite(invite) => block_on(commands::invite::run(invite, context)),
        Noun::Token(token) => block_on(commands::token::run(token, context)),
        Noun::Event(event) => block_on(commands::event::run(event, context)),
        Noun::Whoami(whoami) => block_on(commands::whoami::run(whoami, context)),
        Noun::Doctor(doctor) => block_on(doctor::run(doctor, context)),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn block_on(command: impl Future<Output = Done>) -> Done {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("the program cannot start its runtime: {error}")))?
        .block_on(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_does_not_contradict_itself() {
        command().debug_assert();
    }
}
