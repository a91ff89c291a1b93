//! The command line: its nouns, and who does what each of them asks.

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

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
    /// Run a hub, or rotate its keys
    Hub(commands::hub::HubCommand),
    /// Enrol this machine and run its agent
    Agent(commands::agent::AgentNoun),
    /// Submit, watch and steer tasks
    Task(commands::task::TaskCommand),
    /// Run a task at many nodes, and follow how it goes
    Job(commands::job::JobCommand),
    /// Say what nodes should be, see how they stand, and go back
    State(commands::state::StateCommand),
    /// Keep secrets that desired states refer to
    Secret(commands::secret::SecretCommand),
    /// Read what nodes tell of themselves
    Report(commands::report::ReportCommand),
    /// Propose privileged work, and see what became of it
    Op(commands::op::OpCommand),
    /// Sign proposed operations with an operator's key
    Sign(commands::sign::SignCommand),
    /// Make and show operators' keys
    Keys(commands::keys::KeysCommand),
    /// Keep the set of operators whom sites believe
    Operators(commands::operators::OperatorsCommand),
    /// See how nodes, tasks, jobs and operations fare, in numbers
    #[command(visible_alias = "status")]
    Summary(commands::summary::SummaryCommand),
    /// See what is wrong, and choose by which rules that is judged
    Alarm(commands::alarm::AlarmCommand),
    /// Choose who may be told of alarms, and try whether it arrives
    Recipient(commands::recipient::RecipientCommand),
    /// See who was told of which alarms, and choose by which rules
    Notification(commands::notification::NotificationCommand),
    /// Say by when nodes must have made their backups
    Deadline(commands::deadline::DeadlineCommand),
    /// Have nobody told of what begins at nodes while people work on them
    Maintenance(commands::maintenance::MaintenanceCommand),
    /// List nodes, change what is meant for them, shut them out
    Node(commands::node::NodeCommand),
    /// List and name sites
    Site(commands::site::SiteCommand),
    /// Make the one-time secrets with which agents enrol
    Invite(commands::invite::InviteCommand),
    /// Let people sign in with a password
    Account(commands::account::AccountCommand),
    /// See who is signed in, and sign them out
    Session(commands::session::SessionCommand),
    /// Make orgs, the tenants of a hub
    Org(commands::org::OrgCommand),
    /// Make tokens for people and services
    Token(commands::token::TokenCommand),
    /// Read and change what the administrators of your org may choose
    Settings(commands::settings::SettingsCommand),
    /// See who did what, keep it elsewhere, and prove that nothing of it was changed
    Audit(commands::audit::AuditCommand),
    /// Read what happened
    Event(commands::event::EventCommand),
    /// Set up NATS JetStream for a hub's events
    Events(commands::events::EventsCommand),
    /// Sign in with the hub's identity provider, on any device with a browser
    Login(commands::login::LoginCommand),
    /// End a sign-in, at the hub and at the identity provider
    Logout(commands::logout::LogoutCommand),
    /// Say who the token makes you, and at which hub
    Whoami(commands::whoami::WhoamiCommand),
    /// Write and check packs, the folders that add task types
    Pack(commands::pack::PackCommand),
    /// Keep the hubs that you work with
    Profile(commands::profile::ProfileCommand),
    /// Write everything that a hub keeps into one file, while the hub runs
    Backup(commands::upkeep::BackupCommand),
    /// Make a hub of a backup, on either engine
    Restore(commands::upkeep::RestoreCommand),
    /// Move what a hub keeps from one engine to the other
    Store(commands::upkeep::StoreCommand),
    /// Say what an upgrade does to a hub's store, or do it
    Migrate(commands::upkeep::MigrateCommand),
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
    let parsed = Cli::command().try_get_matches_from(&arguments);
    let parsed = parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, named_by(&matches))));
    let (cli, named_by) = match parsed {
        Ok(parsed) => parsed,
        Err(error) if error.use_stderr() && arguments.iter().any(|argument| argument == "--json") => {
            return typed_wrongly(&error).end(Output::process(true, |name| env.get(name)));
        }
        Err(error) => error.exit(),
    };
    sortie_client::install_crypto();
    let output = Output::process(cli.json, |name| env.get(name));
    let source = Arc::default();
    let context = Context { output, clock: clock::system(), entropy: clock::entropy(), env, named_by, source };
    match dispatch(cli.noun, &context) {
        Ok(code) => code,
        Err(failure) => failure.of(context.source.get()).end(output),
    }
}

/// The options with which the hub was named, to be said again in the commands that are proposed.
fn named_by(matches: &ArgMatches) -> String {
    let mut deepest = matches;
    while let Some((_, inner)) = deepest.subcommand() {
        deepest = inner;
    }
    let data =
        deepest.try_get_one::<PathBuf>("data").ok().flatten().map(|folder| ("data", folder.display().to_string()));
    let profile = deepest.try_get_one::<String>("profile").ok().flatten().map(|name| ("profile", name.clone()));
    data.or(profile).map(|(option, value)| format!(" --{option} {}", quoted(&value))).unwrap_or_default()
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+@:~,".contains(letter);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
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
        Noun::Profile(profile) => block_on(commands::profile::run(profile, context)),
        Noun::Pack(pack) => commands::pack::run(pack, context),
        Noun::Demo(demo) => block_on(demo::run(demo, context)),
        Noun::Task(task) => block_on(commands::task::run(task, context)),
        Noun::Op(op) => block_on(commands::op::run(op, context)),
        Noun::Sign(sign) => block_on(commands::sign::run(sign, context)),
        Noun::Keys(keys) => commands::keys::run(keys, context),
        Noun::Operators(operators) => block_on(commands::operators::run(operators, context)),
        Noun::Job(job) => block_on(commands::job::run(job, context)),
        Noun::State(state) => block_on(commands::state::run(state, context)),
        Noun::Secret(secret) => block_on(commands::secret::run(secret, context)),
        Noun::Report(report) => block_on(commands::report::run(report, context)),
        Noun::Summary(summary) => block_on(commands::summary::run(summary, context)),
        Noun::Alarm(alarm) => block_on(commands::alarm::run(alarm, context)),
        Noun::Recipient(recipient) => block_on(commands::recipient::run(recipient, context)),
        Noun::Notification(notification) => block_on(commands::notification::run(notification, context)),
        Noun::Deadline(deadline) => block_on(commands::deadline::run(deadline, context)),
        Noun::Maintenance(maintenance) => block_on(commands::maintenance::run(maintenance, context)),
        Noun::Node(node) => block_on(commands::node::run(node, context)),
        Noun::Site(site) => block_on(commands::site::run(site, context)),
        Noun::Invite(invite) => block_on(commands::invite::run(invite, context)),
        Noun::Account(account) => block_on(commands::account::run(account, context)),
        Noun::Session(session) => block_on(commands::session::run(session, context)),
        Noun::Org(org) => block_on(commands::org::run(org, context)),
        Noun::Token(token) => block_on(commands::token::run(token, context)),
        Noun::Settings(settings) => block_on(commands::settings::run(settings, context)),
        Noun::Audit(audit) => block_on(commands::audit::run(audit, context)),
        Noun::Event(event) => block_on(commands::event::run(event, context)),
        Noun::Events(events) => block_on(commands::events::run(events, context)),
        Noun::Login(login) => block_on(commands::login::run(login, context)),
        Noun::Logout(logout) => block_on(commands::logout::run(logout, context)),
        Noun::Whoami(whoami) => block_on(commands::whoami::run(whoami, context)),
        Noun::Backup(backup) => block_on(commands::upkeep::backup(backup, context)),
        Noun::Restore(restore) => block_on(commands::upkeep::restore(restore, context)),
        Noun::Store(store) => block_on(commands::upkeep::store(store, context)),
        Noun::Migrate(migrate) => block_on(commands::upkeep::migrate(migrate, context)),
        Noun::Doctor(doctor) => block_on(doctor::run(doctor, context)),
    }
    .map(|()| ExitCode::SUCCESS)
}

/// Does what asks a hub, on a runtime of its own.
pub(crate) fn block_on(command: impl Future<Output = Done>) -> Done {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("the program cannot start its runtime: {error}")))?
        .block_on(command)
}

#[cfg(test)]
mod tests {
    #[test]
    fn proposed_commands_name_the_hub_as_this_one_did() {
        let named = |line: &str| {
            let words = line.split_whitespace().map(|word| word.replace('_', " "));
            super::named_by(&super::command().try_get_matches_from(words).unwrap())
        };
        assert_eq!(named("sortie task list --data /var/lib/hub"), " --data /var/lib/hub");
        assert_eq!(named("sortie task --data my_hub list"), " --data 'my hub'");
        assert_eq!(named("sortie job list --profile home"), " --profile home");
        assert_eq!(named("sortie job list"), "");
        assert_eq!(super::quoted("it's"), "'it'\\''s'");
    }

    use super::*;

    #[test]
    fn the_command_line_does_not_contradict_itself() {
        command().debug_assert();
    }
}
