//! A site with an agent as a real process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::hub::read;
use crate::{Ended, Process, Program, Scene};

/// A site: the agent's data folder, a folder of files that tasks may use, and how the agent is started.
#[derive(Debug, Clone)]
pub struct Site<'s> {
    scene: &'s Scene,
    name: String,
    program: Program,
    settings: Vec<(String, OsString)>,
    wrapper: Vec<String>,
}

/// An agent that runs. Dropped, it is killed.
#[derive(Debug)]
pub struct RunningAgent {
    /// The process.
    pub process: Process,
}

impl<'s> Site<'s> {
    /// A site whose agent has not enrolled. Its policy allows every builtin, with files under
    /// [`Site::files`].
    ///
    /// # Panics
    /// If the folder cannot be written.
    pub fn new(scene: &'s Scene, name: &str) -> Site<'s> {
        let (settings, wrapper) = (Vec::new(), Vec::new());
        let site = Site { scene, name: name.to_owned(), program: Program::Sortie, settings, wrapper };
        for folder in [site.files(), site.data()] {
            std::fs::create_dir_all(folder).expect("the story's folder can be written");
        }
        let files = site.files();
        site.set_policy(&format!(
            "default = \"refuse\"\n\
             allow = [\"sys.info\", \"sleep\", \"http.check\", \"file.checksum\", \"file.append\"]\n\
             [file_checksum]\nroots = [{files:?}]\n\
             [file_append]\nroots = [{files:?}]\n"
        ));
        site
    }

    /// The same with the slim program.
    #[must_use]
    pub fn slim(mut self) -> Site<'s> {
        self.program = Program::SlimAgent;
        self
    }

    /// The same with a setting of the agent's, for example `concurrency`.
    #[must_use]
    pub fn setting(mut self, key: &str, value: impl ToString) -> Site<'s> {
        let variable = format!("SORTIE_AGENT_{}", key.replace('.', "__").to_ascii_uppercase());
        self.settings.push((variable, value.to_string().into()));
        self
    }

    /// The same with a variable of the agent's environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Site<'s> {
        self.settings.push((name.to_owned(), value.into()));
        self
    }

    /// The same, run by another program, for example `strace`, which gets the agent's command line
    /// as the end of its own.
    #[must_use]
    pub fn under(mut self, wrapper: &[impl AsRef<str>]) -> Site<'s> {
        self.wrapper = wrapper.iter().map(|word| word.as_ref().to_owned()).collect();
        self
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The agent's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder().join("agent")
    }

    /// The folder that tasks may read and write.
    pub fn files(&self) -> PathBuf {
        self.folder().join("files")
    }

    /// Replaces the site's policy.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn set_policy(&self, text: &str) {
        std::fs::write(self.data().join("policy.toml"), text).expect("the story's folder can be written");
    }

    /// The lines of a file that tasks have appended to; none if it is not there.
    pub fn lines(&self, file: &str) -> Vec<String> {
        let path = self.files().join(file);
        if !path.exists() {
            return Vec::new();
        }
        read(&path).lines().map(str::to_owned).collect()
    }

    /// Runs `agent enroll` with this invite.
    pub fn enroll(&self, invite: &str) -> Ended {
        Ended::of(self.command("enroll").args(["--invite", invite]))
    }

    /// Starts the agent.
    pub fn start(&self) -> RunningAgent {
        RunningAgent { process: Process::start(self.command("run"), &self.log_file()) }
    }

    /// Everything that its agent has logged, over all its starts.
    pub fn log(&self) -> String {
        read(&self.log_file())
    }

    /// `agent VERB --data …` of the site's program.
    pub fn command(&self, verb: &str) -> Command {
        let mut command = self.program.command_under(&self.wrapper);
        // The slim program has the same verbs without the word before them.
        match self.program {
            Program::Sortie if verb == "run" => command.args(["agent", "--until-stdin-closes", verb]),
            Program::Sortie => command.args(["agent", verb]),
            Program::SlimAgent | Program::Cohort | Program::OwnHandlers | Program::FollowEvents => command.arg(verb),
        };
        command.arg("--data").arg(self.data());
        command.env("SORTIE_AGENT_PROXY__URL", "none").env("SORTIE_AGENT_STOP_GRACE_S", "1");
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    fn folder(&self) -> PathBuf {
        self.scene.folder().join("sites").join(Path::new(&self.name))
    }

    fn log_file(&self) -> PathBuf {
        self.scene.log(&self.name)
    }
}

impl RunningAgent {
    /// Ends it as a power cut would.
    pub async fn kill(self) {
        self.process.kill().await;
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(self) -> std::process::ExitStatus {
        self.process.stop().await
    }
}
