//! The programs under test, as they were built, and commands that run to their end.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// One of the programs under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `sortie`.
    Sortie,
    /// `sortie-agent`.
    SlimAgent,
    /// `sortie-cohort`, a handler for sites.
    Cohort,
    /// The example of the agent's library.
    OwnHandlers,
    /// The example that reads events from NATS.
    FollowEvents,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

/// The words by which root runs a program under test as a user without rights. Where other words `follow`, their
/// programs keep the way to where it was built, which setpriv has and they would lose.
pub fn as_daemon(follow: bool) -> Vec<&'static str> {
    let mut words = vec!["setpriv", "--reuid", "daemon", "--regid", "daemon", "--clear-groups"];
    if follow {
        words.extend(["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]);
    }
    words
}

impl Program {
    /// Its file: in the folder that `SORTIE_BIN_DIR` names (`cargo xtask test` does), else beside
    /// the folder of the test's own binary.
    ///
    /// # Panics
    /// If it has not been built.
    pub fn path(self) -> PathBuf {
        let name = match self {
            Program::Sortie => "sortie",
            Program::SlimAgent => "sortie-agent",
            Program::Cohort => "sortie-cohort",
            Program::OwnHandlers => "examples/own_handlers",
            Program::FollowEvents => "examples/follow_events",
        };
        let own = std::env::current_exe().expect("a test knows its own file");
        let beside = own.ancestors().nth(2).expect("a test lies in target/PROFILE/deps").to_owned();
        let folder = std::env::var_os("SORTIE_BIN_DIR").map_or(beside, PathBuf::from);
        let path = folder.join(name);
        assert!(path.is_file(), "{} is not built; run `cargo build --workspace` first", path.display());
        path
    }

    /// A command of it that no setting and no proxy of the developer's reaches.
    pub fn command(self) -> Command {
        clean(Command::new(self.path()))
    }

    /// The same, run by another program, for example `faketime`, which gets it as the end of its own command line.
    pub fn command_under(self, wrapper: &[impl AsRef<OsStr>]) -> Command {
        let Some((wrapper, words)) = wrapper.split_first() else { return self.command() };
        let mut command = clean(Command::new(wrapper));
        command.args(words).arg(self.path());
        command
    }

    /// Runs it to its end with these arguments.
    pub fn run<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Ended {
        Ended::of(self.command().args(arguments).stdin(Stdio::null()))
    }
}

impl Ended {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn of(command: &mut Command) -> Ended {
        command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}")).into()
    }

    /// The same, which must have gone well.
    ///
    /// # Panics
    /// If it has not.
    pub fn well(self) -> Ended {
        assert_eq!(self.code, Some(0), "the command failed:\n{}{}", self.stdout, self.stderr);
        self
    }
}

impl From<std::process::Output> for Ended {
    fn from(output: std::process::Output) -> Ended {
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Takes out of a command's environment what could come from the developer's own use of Sortie.
pub(crate) fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        let ours = upper.starts_with("SORTIE_") && upper != "SORTIE_LOG";
        if ours || upper.ends_with("_PROXY") || upper.starts_with("OTEL_") {
            command.env_remove(&name);
        }
    }
    // Profiles are looked for here.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    command
}
