//! Where a program is killed: at its Nth system call of a kind, as `strace` counts them.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

/// Most cuts at calls of one kind; a life has fewer steps.
pub(crate) const CUTS_MAX: u32 = 200;

/// A kind of step at which a program can be killed, before the call does anything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps {
    /// The system calls.
    pub(crate) calls: &'static str,
    /// From one cut to the next, so many calls are passed over.
    pub(crate) stride: u32,
}

/// Before something written reaches the disk.
pub(crate) const AT_EACH_SYNC: Steps = Steps { calls: "fsync,fdatasync", stride: 1 };
/// Before something is written to a database: a transaction is torn in the middle.
pub(crate) const IN_MID_WRITE: Steps = Steps { calls: "pwrite64", stride: 7 };
/// Before something is sent: what it says is on disk already, and the other side never hears it.
pub(crate) const BEFORE_IT_SPEAKS: Steps = Steps { calls: "writev", stride: 1 };

impl Steps {
    /// The words that make strace run a program and kill it at the `nth` of these calls that one of
    /// its threads makes.
    pub(crate) fn kill_at(self, nth: u32) -> Vec<String> {
        let (trace, inject) =
            (format!("trace={}", self.calls), format!("inject={}:signal=SIGKILL:when={nth}", self.calls));
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject].map(str::to_owned).to_vec()
    }
}

/// Whether the end of strace tells that what it ran was killed.
pub(crate) fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}
