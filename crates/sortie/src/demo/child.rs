//! A process of this same program: started with its stdin held, so that it ends with us however we
//! end, in a process group of its own, so that Ctrl-C reaches us alone and the end stays orderly.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child as Process, Command};

use crate::exit::Failure;

/// How long an orderly stop may take before it is cut short.
const STOP_GRACE: Duration = Duration::from_secs(8);
/// How much of a log is shown when something goes wrong.
const LOG_LINES_SHOWN: usize = 12;

/// How our program is started.
#[derive(Debug, Clone)]
pub(super) struct Program {
    /// Its file.
    pub(super) path: PathBuf,
}

/// A process that runs.
#[derive(Debug)]
pub(super) struct Child {
    process: Process,
    log: PathBuf,
}

impl Program {
    /// Ourselves.
    pub(super) fn own() -> Result<Program, Failure> {
        let path = std::env::current_exe()
            .map_err(|error| Failure::other(format!("the program does not find its own file: {error}")))?;
        Ok(Program { path })
    }

    /// A command of ours that neither our settings nor a proxy of this machine's reach.
    fn command(&self, arguments: &[&OsStr], variables: &[(&str, String)]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).kill_on_drop(true).process_group(0);
        for (name, _) in std::env::vars_os() {
            let foreign = name.to_string_lossy().to_ascii_uppercase();
            if (foreign.starts_with("SORTIE_") && foreign != "SORTIE_LOG") || foreign.ends_with("_PROXY") {
                command.env_remove(name);
            }
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end; it must succeed.
    pub(super) async fn run(&self, arguments: &[&OsStr]) -> Result<(), Failure> {
        let output = self.command(arguments, &[]).stdin(Stdio::null()).output().await;
        let output =
            output.map_err(|error| Failure::other(format!("{} cannot be run: {error}", self.path.display())))?;
        if output.status.success() {
            return Ok(());
        }
        let verb = arguments.iter().take(2).map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Failure::other(format!("`sortie {verb}` failed ({}): {said}", output.status)))
    }

    /// Starts a command that stays. What it says is added to its log.
    pub(super) fn start(
        &self,
        arguments: &[&OsStr],
        variables: &[(&str, String)],
        log: &Path,
    ) -> Result<Child, Failure> {
        let fault = |error| Failure::other(format!("{} cannot be started: {error}", self.path.display()));
        let told = OpenOptions::new().create(true).append(true).open(log).map_err(fault)?;
        let also = told.try_clone().map_err(fault)?;
        let mut command = self.command(arguments, variables);
        command.stdin(Stdio::piped()).stdout(told).stderr(also);
        Ok(Child { process: command.spawn().map_err(fault)?, log: log.to_owned() })
    }
}

impl Child {
    /// Makes sure that it still runs.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        match self.process.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                let (log, last) = (self.log.display(), self.last_lines());
                Err(Failure::other(format!("a process ended by itself ({status}). The end of {log}:\n{last}")))
            }
            Err(error) => Err(Failure::other(format!("a process cannot be looked at: {error}"))),
        }
    }

    /// Ends it as a power cut would: SIGKILL, no chance to do anything.
    pub(super) async fn kill(mut self) -> Result<(), Failure> {
        self.process.kill().await.map_err(|error| Failure::other(format!("a process cannot be killed: {error}")))
    }

    /// Asks it to stop and waits until it has; cuts it short if that takes too long.
    pub(super) async fn stop(mut self) {
        let id = self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id
            && kill_process(id, Signal::TERM).is_ok()
            && tokio::time::timeout(STOP_GRACE, self.process.wait()).await.is_ok()
        {
            return;
        }
        // What is left is ended for good; an error means that there is nothing left.
        let _gone = self.process.kill().await;
    }

    fn last_lines(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}
