//! For programs that start ours and want it to end with them: `--until-stdin-closes`.
//!
//! A parent that holds the other end of our stdin need not do anything to end us; it need only
//! cease, in whatever way, and the pipe closes. That is the one thing that even SIGKILL does.

use std::io::Read as _;

use rustix::process::{Signal, getpid, kill_process};

/// Stops this process in the orderly way as soon as its stdin ends.
pub(crate) fn stop_when_stdin_closes() {
    std::thread::spawn(|| {
        let mut ignored = [0; 256];
        while std::io::stdin().read(&mut ignored).is_ok_and(|count| count > 0) {}
        // The same way out as for any supervisor: the signal that asks to stop.
        if let Err(error) = kill_process(getpid(), Signal::TERM) {
            tracing::error!(%error, "stdin has closed, and the process cannot signal itself to stop");
        }
    });
}
