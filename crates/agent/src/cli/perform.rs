//! Does what was typed.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde_json::json;
use sortie_rules::config::{ConfigError, known_keys, load};
use sortie_rules::redaction::redact;
use sortie_rules::time::Millis;
use sortie_wire::enrollment::{Invite, NotAnInvite};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::commands::{AgentCommand, EnrollCommand, HelperCommand, RefusedCommand, RunCommand};
use super::complaint::Complaint;
use super::exit::AgentExit;
use super::log;
use super::operators::{in_words as operators_in_words, perform_operators};
use crate::agent::Agent;
use crate::clock::{Clock, Entropy};
use crate::data_folder::{FolderError, read_if_there};
use crate::enroll::{EnrollError, EnrollOptions, EnrolledNode, enroll};
use crate::helper::{HelperOptions, serve};
use crate::operations::Given;
use crate::refusals::{Refusal, in_words, read_refusals};
use crate::settings::{DEFAULT_TOML, Settings};

/// What begins the variables that overlay the settings.
const VARIABLES: &str = "SORTIE_AGENT_";
/// Those of them that the command line reads itself.
const NOT_SETTINGS: [&str; 2] = ["SORTIE_AGENT_DATA", "SORTIE_AGENT_CONFIG"];
/// Stack of a thread of the runtime: nothing here recurses.
const STACK_BYTES: usize = 1 << 20;
/// Most threads for what blocks: names to resolve, files to read.
const BLOCKING_THREADS_MAX: usize = 8;

/// Does what was typed, on a runtime of its own. Data goes to standard output, talk to standard error.
pub fn run(command: AgentCommand, clock: Clock, entropy: Entropy) -> AgentExit {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(perform(command, clock, entropy)),
        Err(error) => complain(&error, AgentExit::Failure),
    }
}

/// The same, on the caller's runtime.
pub async fn perform(command: AgentCommand, clock: Clock, entropy: Entropy) -> AgentExit {
    sortie_client::install_crypto();
    match command {
        AgentCommand::Enroll(command) => perform_enroll(command, clock, &entropy).await,
        AgentCommand::Run(command) if command.print_config => print(DEFAULT_TOML),
        AgentCommand::Run(command) => perform_run(command, clock, entropy).await,
        AgentCommand::Refused(command) => perform_refused(&command, clock.now()),
        AgentCommand::Operators(command) => perform_operators(command, clock, entropy).await,
        AgentCommand::Helper(command) => perform_helper(command, clock, entropy),
    }
}

async fn perform_enroll(command: EnrollCommand, clock: Clock, entropy: &Entropy) -> AgentExit {
    let as_json = command.json;
    let settings = match settings(&command.data, command.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return Complaint::new(&error, AgentExit::Usage).tell(as_json),
    };
    let invite = match invite(&command.invite) {
        Ok(invite) => invite,
        Err(error) => return Complaint::new(&error, AgentExit::Usage).tell(as_json),
    };
    let operators = match command.operators.map(|text| text.parse::<Given>()).transpose() {
        Ok(operators) => operators,
        Err(error) => return Complaint::new(&error, AgentExit::Usage).tell(as_json),
    };
    let policy = settings.policy_path();
    match enroll(EnrollOptions { settings, invite, operators }, clock, entropy).await {
        Ok(enrolled) => tell(&enrolled, &policy, as_json),
        Err(error) => {
            let complaint = Complaint::new(&error, AgentExit::of_enrollment(&error));
            match &error {
                EnrollError::Hub(call) => complaint.about(call).or_a_new_invite(call).tell(as_json),
                _ => complaint.tell(as_json),
            }
        }
    }
}

async fn perform_run(command: RunCommand, clock: Clock, entropy: Entropy) -> AgentExit {
    let data = command.data.unwrap_or_default();
    let settings = match settings(&data, command.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return complain(&error, AgentExit::Usage),
    };
    log::start(&settings);
    let agent = match Agent::builder(settings, clock, entropy).build() {
        Ok(agent) => agent,
        Err(error) => return complain(&error, AgentExit::of_agent(&error)),
    };
    let (gently, at_once) = match told_to_stop() {
        Ok(told) => told,
        Err(error) => return complain(&error, AgentExit::Failure),
    };
    let ended = tokio::select! {
        ended = agent.run(gently.cancelled_owned()) => ended,
        // Everything that matters is on disk; the next start takes it up.
        () = at_once.cancelled() => return AgentExit::Failure,
    };
    match ended {
        Ok(()) => AgentExit::Success,
        Err(error) => complain(&error, AgentExit::of_agent(&error)),
    }
}

fn perform_helper(command: HelperCommand, clock: Clock, entropy: Entropy) -> AgentExit {
    let HelperCommand { data, agent_data, policy, socket, agent_user, operators } = command;
    log::start(&Settings::for_data(&data));
    match serve(&HelperOptions { data, agent_data, policy, socket, agent_user, operators }, clock, entropy) {
        Ok(()) => AgentExit::Success,
        Err(error) => complain(&error, AgentExit::Failure),
    }
}

fn perform_refused(command: &RefusedCommand, now: Millis) -> AgentExit {
    if !command.data.is_dir() {
        let error = NoSettings::NoFolder(command.data.clone());
        return Complaint::new(&error, AgentExit::Usage).tell(command.json);
    }
    let refused = match read_refusals(&command.data, command.limit) {
        Ok(refused) => refused,
        Err(error) => return Complaint::new(&error, AgentExit::Failure).tell(command.json),
    };
    let line = |refusal: &Refusal| match command.json {
        true => serde_json::to_string(refusal).unwrap_or_default() + "\n",
        false => in_words(refusal, now) + "\n",
    };
    print(&refused.iter().map(line).collect::<String>())
}

/// Rings when the process is asked to end (SIGTERM or SIGINT), and again when it is asked twice.
fn told_to_stop() -> io::Result<(CancellationToken, CancellationToken)> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (gently, at_once) = (CancellationToken::new(), CancellationToken::new());
    let bells = [gently.clone(), at_once.clone()];
    tokio::spawn(async move {
        for bell in bells {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            bell.cancel();
        }
    });
    Ok((gently, at_once))
}

#[derive(Debug, thiserror::Error)]
pub(super) enum NoSettings {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("the settings {} are not there", .0.display())]
    Missing(PathBuf),
    #[error("there is no data folder {}", .0.display())]
    NoFolder(PathBuf),
}

/// The settings: the file that was named, or `agent.toml` in the data folder if it exists, with the
/// variables laid over it.
pub(super) fn settings(data: &Path, config: Option<&Path>) -> Result<Settings, NoSettings> {
    let path = config.map_or_else(|| data.join("agent.toml"), Path::to_owned);
    let text = match (read_if_there(&path)?, config) {
        (Some(text), _) => text,
        (None, Some(named)) => return Err(NoSettings::Missing(named.to_owned())),
        (None, None) => String::new(),
    };
    let keys = known_keys(DEFAULT_TOML);
    let known: Vec<&str> = keys.iter().map(String::as_str).collect();
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()));
    let settings: Settings = load(&text, &path.display().to_string(), variables, VARIABLES, &known)?;
    Ok(Settings { data: data.to_owned(), file: config.map(Path::to_owned), ..settings })
}

#[derive(Debug, thiserror::Error)]
enum NoInvite {
    #[error(transparent)]
    NotAnInvite(#[from] NotAnInvite),
    #[error("`{0}` is a file: give its text with `--invite - < {0}`")]
    File(String),
    #[error("the invite cannot be read from standard input")]
    Unreadable(#[from] io::Error),
}

fn invite(given: &str) -> Result<Invite, NoInvite> {
    /// An invite is one line; more than this is none.
    const INVITE_BYTES_MAX: u64 = 16 * 1024;
    let mut text = given.to_owned();
    if given == "-" {
        text.clear();
        io::stdin().lock().take(INVITE_BYTES_MAX).read_to_string(&mut text)?;
    }
    match text.parse() {
        Err(NotAnInvite) if Path::new(given).is_file() => Err(NoInvite::File(given.to_owned())),
        read => Ok(read?),
    }
}

fn tell(enrolled: &EnrolledNode, policy: &Path, as_json: bool) -> AgentExit {
    let EnrolledNode { node, name, hub, policy_written, operators, operators_awaited } = enrolled;
    if as_json {
        let operators = operators.fingerprint.is_some().then_some(operators);
        let told = json!({ "node": node, "name": name, "hub": hub, "policy": policy, "operators": operators });
        return print(&format!("{told}\n"));
    }
    if let Some(why) = operators_awaited {
        let text = redact(&format!("warning: the operators are not known yet: {why}")).into_owned();
        let _nobody = writeln!(io::stderr().lock(), "{text}");
    }
    let written = if *policy_written { "a first policy was written to" } else { "its policy is" };
    let policy = policy.display();
    let mut text = format!("{name} ({node}) is enrolled at {hub}; {written} {policy}\n");
    if operators.fingerprint.is_some() {
        text += &operators_in_words(operators);
    }
    print(&text)
}

pub(super) fn print(text: &str) -> AgentExit {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => AgentExit::Success,
        Err(_) => AgentExit::Failure,
    }
}

fn complain(error: &dyn std::error::Error, exit: AgentExit) -> AgentExit {
    Complaint::new(error, exit).tell(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::AgentError;

    #[test]
    fn a_missing_file_is_an_error_only_if_it_was_named() {
        let scratch = tempfile::tempdir().unwrap();
        assert_eq!(settings(scratch.path(), None).unwrap(), Settings::for_data(scratch.path()));
        assert!(matches!(settings(scratch.path(), Some(Path::new("/none.toml"))), Err(NoSettings::Missing(_))));
        std::fs::write(scratch.path().join("agent.toml"), "concurrency = 9").unwrap();
        assert_eq!(settings(scratch.path(), None).unwrap().concurrency, 9);
    }

    #[test]
    fn exit_codes_tell_the_hub_s_no_from_a_hub_that_is_away() {
        use sortie_client::{ClientError, Stage};
        use sortie_wire::problem::{Problem, ProblemCode};
        let problem = Problem::new(ProblemCode::InviteExpired, "x");
        let no = ClientError::Problem { problem: Box::new(problem), retry_after: None };
        assert_eq!(AgentExit::of_enrollment(&EnrollError::Hub(no)), AgentExit::Refused);
        let away = ClientError::Unreachable { hub: "h".into(), stage: Stage::Connect, source: "x".into() };
        assert_eq!(AgentExit::of_enrollment(&EnrollError::Hub(away)), AgentExit::Unreachable);
        assert_eq!(AgentExit::of_agent(&AgentError::Fault("x".into())), AgentExit::Failure);
    }
}
