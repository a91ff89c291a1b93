//! The small life of a launched program before it is itself: this program, started anew in the place
//! of the one to come, sets the limits that only a process can set for itself, and becomes it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit, umask};
use serde::{Deserialize, Serialize};
use sortie_rules::ids::TaskId;

use crate::policy;

/// The first argument of a launch.
const MARK: &str = "__launch";
/// What a launch that fails begins its complaint with.
pub(crate) const COMPLAINT: &str = "sortie-launch: ";
/// How a launch that fails ends: as a shell does that cannot execute.
pub(crate) const FAILED: i32 = 126;

/// Whether this program answers to being launched.
static ANSWERS: AtomicBool = AtomicBool::new(false);

/// What is to be launched, and within which limits.
#[derive(Debug, Serialize, Deserialize)]
struct Launch {
    parent: u32,
    program: PathBuf,
    args: Vec<String>,
    cpu_s: u64,
    memory_bytes: u64,
    file_bytes: u64,
}

/// Becomes the program that an agent launches, if that is what this process was started for, and
/// returns otherwise. A program with an agent in it calls this first in its `main`: handlers of the kind
/// `command` need it, since limits can be set only from within.
pub fn launch_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == MARK) {
        let why = launch(arguments.next().unwrap_or_default());
        let _nobody = std::io::Write::write_all(&mut std::io::stderr(), format!("{COMPLAINT}{why}\n").as_bytes());
        std::process::exit(FAILED);
    }
    ANSWERS.store(true, Ordering::Relaxed);
}

/// Whether [`launch_if_asked`] was called, without which a launch would start a second agent.
pub(crate) fn is_answered() -> bool {
    ANSWERS.load(Ordering::Relaxed)
}

/// The arguments by which this program launches another.
fn arguments(launch: &Launch) -> [String; 2] {
    // Paths come from a policy, which is text; a launch is text, numbers and lists of text.
    [MARK.to_owned(), serde_json::to_string(launch).unwrap_or_default()]
}

/// Whose run a program is, as its environment tells it.
#[derive(Debug)]
pub(crate) struct Who<'w> {
    pub(crate) task: TaskId,
    pub(crate) type_name: &'w str,
    pub(crate) run: u32,
    pub(crate) attempt: u32,
    pub(crate) traceparent: Option<&'w str>,
}

impl Who<'_> {
    /// The same as variables.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("SORTIE_TASK_ID", self.task.to_string()),
            ("SORTIE_TASK_TYPE", self.type_name.to_owned()),
            ("SORTIE_RUN", self.run.to_string()),
            ("SORTIE_ATTEMPT", self.attempt.to_string()),
        ];
        variables.extend(self.traceparent.map(|trace| ("TRACEPARENT", trace.to_owned())));
        variables
    }
}

/// The launch of a program, in a group of its own and with an environment that says little but these
/// variables. Its streams are the caller's to set.
pub(crate) fn prepared(command: &policy::Command, variables: Vec<(&'static str, String)>, folder: &Path) -> Command {
    let launch = Launch {
        parent: std::process::id(),
        program: command.program.clone(),
        args: command.args.clone(),
        cpu_s: command.cpu_s,
        memory_bytes: command.memory_bytes,
        file_bytes: command.file_bytes,
    };
    // This very program, even if its file was replaced meanwhile.
    let mut prepared = Command::new("/proc/self/exe");
    prepared
        .args(arguments(&launch))
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LANG", "C.UTF-8")
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .envs(&command.environment)
        .envs(variables)
        .current_dir(folder)
        .process_group(0);
    prepared
}

/// Becomes the program, or says why not.
fn launch(words: OsString) -> String {
    let read = words.to_str().and_then(|text| serde_json::from_str::<Launch>(text).ok());
    let Some(launch) = read else { return "this is for agents to start programs with".to_owned() };
    if let Err(error) = confine(&launch) {
        return format!("the limits cannot be set: {error}");
    }
    let error = Command::new(&launch.program).args(&launch.args).exec();
    format!("{} cannot be executed: {error}", launch.program.display())
}

fn confine(launch: &Launch) -> rustix::io::Result<()> {
    // An agent that is killed takes what it began along.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid().map(|parent| parent.as_raw_nonzero().get()) != i32::try_from(launch.parent).ok() {
        std::process::exit(FAILED);
    }
    let limit =
        |resource, soft: u64, hard: u64| setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) });
    limit(Resource::Cpu, launch.cpu_s, launch.cpu_s + 1)?;
    // The agent looks at the memory of all its processes together; this holds one that is quicker than
    // the agent's looks.
    limit(Resource::Data, launch.memory_bytes.saturating_mul(2), launch.memory_bytes.saturating_mul(2))?;
    limit(Resource::Fsize, launch.file_bytes, launch.file_bytes)?;
    limit(Resource::Core, 0, 0)?;
    umask(rustix::fs::Mode::from_raw_mode(0o077));
    Ok(())
}
