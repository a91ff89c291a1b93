//! A program that runs until the story ends it: orderly, or as a power cut would.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::until;

/// A process in a group of its own. Its stdin is held, and with `--until-stdin-closes` it ends with
/// the story however that ends; dropped, the whole group is killed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    log: PathBuf,
}

impl Process {
    /// Starts a command; what it says is added to its log.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(mut command: Command, log: &Path) -> Process {
        let told = File::options().create(true).append(true).open(log).expect("the story's folder can be written");
        let also = told.try_clone().expect("a file can be opened twice");
        command.stdin(Stdio::piped()).stdout(told).stderr(also).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        Process { stdin: child.stdin.take(), child, log: log.to_owned() }
    }

    /// Its process id. Under strace, that of strace.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be looked at")
    }

    /// Waits until it has ended by itself.
    pub async fn end(&mut self) -> ExitStatus {
        until("a process ends", async || self.ended()).await
    }

    /// Ends it as a power cut would: no chance to do anything.
    pub async fn kill(mut self) {
        self.kill_group();
        self.end().await;
        self.nothing_left().await;
    }

    /// Waits until what it ran has ended too: strace may be gone before the program that it ran has
    /// let go of its locks.
    pub async fn nothing_left(&self) {
        until("a process that was killed lets go", async || (!group_lives(self.child.id())).then_some(())).await;
    }

    /// Asks it to stop (SIGTERM) and waits until it has, and with it what it ran, such as a program under `faketime`.
    pub async fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let status = self.end().await;
        // A wrapper may pass no signal on; what it ran ends with its stdin.
        drop(self.stdin.take());
        self.nothing_left().await;
        status
    }

    /// Sends a signal to the process alone.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the process is there");
    }

    /// Everything it has said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn pid(&self) -> Pid {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id is above 0")
    }

    fn kill_group(&mut self) {
        if self.ended().is_none() {
            // It may have ended between the two lines; then there is nobody to kill.
            let _gone = kill_process_group(self.pid(), Signal::KILL);
        }
    }
}

/// Whether a process of this group still runs. Those that have ended and that nobody has asked after
/// hold nothing any more.
fn group_lives(group: u32) -> bool {
    let processes = std::fs::read_dir("/proc").expect("there is a list of processes").flatten();
    let stats = processes.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok());
    // After the name in brackets: the state, the parent, the group.
    stats.filter_map(|stat| stat.rsplit_once(") ").map(|(_, rest)| rest.to_owned())).any(|rest| {
        let mut words = rest.split(' ');
        let (state, its_group) = (words.next(), words.nth(1));
        !matches!(state, Some("Z" | "X")) && its_group == Some(&group.to_string())
    })
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
        let _status = self.child.wait();
    }
}
