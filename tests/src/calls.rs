//! System calls of a program into which `strace` reaches: it kills the program there, or gives it an error.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Calls of some kinds, all or those on some files. strace counts them for each thread: where each call shall be
/// met in its turn, name files that one thread writes.
#[derive(Debug, Clone)]
pub struct Calls {
    names: &'static str,
    files: Vec<PathBuf>,
}

impl Calls {
    /// The calls of these names, with commas between.
    pub const fn of(names: &'static str) -> Calls {
        Calls { names, files: Vec::new() }
    }

    /// Only those on this file or folder too, as its whole path names it.
    #[must_use]
    pub fn on(mut self, file: impl Into<PathBuf>) -> Calls {
        self.files.push(file.into());
        self
    }

    /// The words that run a program and kill it at the `nth` of these calls that one of its threads makes, before
    /// the call does anything.
    pub fn kill_at(&self, nth: u32) -> Vec<String> {
        self.inject(&format!("signal=SIGKILL:when={nth}"))
    }

    /// The words that run a program to which each of these calls gives this error, such as `ENOSPC`.
    pub fn fail_with(&self, error: &str) -> Vec<String> {
        self.inject(&format!("error={error}"))
    }

    fn inject(&self, what: &str) -> Vec<String> {
        let mut words = ["strace", "-f", "-qq", "-o", "/dev/null"].map(str::to_owned).to_vec();
        words.extend(self.files.iter().flat_map(|file| ["-P".to_owned(), file.to_string_lossy().into_owned()]));
        for expression in [format!("trace={}", self.names), format!("inject={}:{what}", self.names)] {
            words.extend(["-e".to_owned(), expression]);
        }
        words
    }
}

/// Whether the end of strace tells that what it ran was killed.
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}
