//! One run of a program.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sortie_rules::exits::{CutShort, Exit, Verdict, judge_exit};
use sortie_rules::tasks::Code;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::capture::{Capture, TooMuch};
use super::check::check;
use super::leader::{Leader, Stream};
use crate::handlers::large;
use crate::handlers::{Failure, Output, Work};
use crate::helper::Helper;
use crate::launch;
use crate::policy::Command;

/// How often the size of a program is looked at. The first look comes after this long, so that short
/// programs cost none.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long the ends of its pipes are waited for after a program and its group have ended: a process
/// that has left the group may hold them open for ever.
pub(super) const PIPES_CLOSE: Duration = Duration::from_secs(1);
/// Longest line of a log that is kept together.
const LINE_BYTES_MAX: u64 = 16 << 10;

/// Where runs have their files.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// Working folders of runs.
    pub(crate) work: PathBuf,
    /// Results that were too large to send.
    pub(crate) results: PathBuf,
    /// Who runs programs as other users.
    pub(crate) helper: Helper,
}

/// A folder of its own for one run, gone with it.
pub(super) struct WorkingFolder {
    path: PathBuf,
    is_own: bool,
}

/// Runs the program of a task to its end.
pub(crate) async fn run(work: Work, command: Command, places: Places) -> Result<Output, Failure> {
    let trouble = |error: std::io::Error| Failure::failed(Code::HANDLER_FAILED, error.to_string(), true);
    let name = format!("{}.{}", work.task, work.run);
    let mut folder = None;
    let mut leader = if command.user.is_some() {
        // Whether the program can be run, and where, is for the helper to see.
        Leader::helped(&work, &places.helper).await?
    } else {
        if !launch::is_answered() {
            let message = "this agent's program does not call `launch_if_asked`, so it cannot run commands";
            return Err(Failure::failed(Code::HANDLER_FAILED, message, false));
        }
        check(&command.program)?;
        let own = folder.insert(WorkingFolder::make(&command, &places.work.join(&name)).map_err(trouble)?);
        Leader::own(&work, &command, &own.path)?
    };
    let mut capture = Capture::new(places.results.join(format!("{name}.part")), command.output_bytes);
    let (stdout, stderr) = leader.streams();
    let mut reading = Box::pin(async { tokio::join!(read_or_nothing(&mut capture, stdout), listen(stderr, &work)) });
    let mut cut = None;
    let mut said = None;
    // How it ended may be learnt but once.
    let mut stopped = None;
    let exit = {
        let wall = tokio::time::sleep(command.wall.to_std());
        tokio::pin!(wall);
        loop {
            if let Some(ended) = stopped.take() {
                break ended;
            }
            tokio::select! {
                ended = leader.wait() => break ended,
                heard = &mut reading, if said.is_none() => {
                    if heard.0.is_err() {
                        cut = Some(CutShort::Output);
                        leader.kill();
                    }
                    said = Some(heard);
                }
                () = work.stop.cancelled(), if cut.is_none() => {
                    cut = Some(CutShort::Cancelled);
                    stopped = stop_gently(&mut leader, command.stop_grace.to_std()).await;
                }
                () = &mut wall, if cut.is_none() => {
                    cut = Some(CutShort::WallTime);
                    stopped = stop_gently(&mut leader, command.stop_grace.to_std()).await;
                }
                () = tokio::time::sleep(LOOK_EVERY), if cut.is_none() => {
                    cut = leader.over(&command);
                    if cut.is_some() {
                        leader.kill();
                    }
                }
            }
        }
    };
    leader.clear(&work.task).await;
    if said.is_none() {
        said = tokio::time::timeout(PIPES_CLOSE, &mut reading).await.ok();
    }
    drop(reading);
    let (written, last_words) = said.unwrap_or((Ok(()), String::new()));
    if cut.is_none() && written == Err(TooMuch) {
        cut = Some(CutShort::Output);
    }
    let exit = exit.map_err(trouble)?;
    if exit == Exit::Code(launch::FAILED)
        && let Some(why) = last_words.strip_prefix(launch::COMPLAINT)
    {
        return Err(Failure::failed(Code::HANDLER_NOT_EXECUTABLE, why.trim_end(), false));
    }
    let (written, result) = capture.finish(|part| large::keep(&places.results, part, &name));
    match (judge_exit(cut, exit, written, &command.retry_codes), result) {
        (Verdict::Completed, Some(result)) => Ok(Output::json(result)),
        (Verdict::Completed, None) => Err(Failure::failed(Code::NO_RESULT, "there is no result", false)),
        (Verdict::Cancelled, _) => Err(Failure::Cancelled),
        (Verdict::Failed { code, message, retry }, _) => {
            let words = last_words.trim();
            let message = if words.is_empty() { message } else { format!("{message}; its last words: {words}") };
            Err(Failure::failed(code, message, retry))
        }
    }
}

async fn read_or_nothing(capture: &mut Capture, stdout: Option<Stream>) -> Result<(), TooMuch> {
    match stdout {
        Some(stdout) => capture.read(stdout).await,
        None => Ok(()),
    }
}

/// Reads the log and returns its last line.
pub(super) async fn listen(stderr: Option<Stream>, work: &Work) -> String {
    let Some(stderr) = stderr else { return String::new() };
    let mut lines = BufReader::new(stderr);
    let (mut line, mut last) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let mut part = tokio::io::AsyncReadExt::take(&mut lines, LINE_BYTES_MAX);
        match part.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return work.log.masked(&last),
            Ok(_) => {
                work.log.write(&line);
                if line.iter().any(|byte| !byte.is_ascii_whitespace()) {
                    std::mem::swap(&mut line, &mut last);
                }
            }
        }
    }
}

/// Asks the group to end, waits for its leader, and ends what is left. Returns how the leader ended if it
/// did so in time.
pub(super) async fn stop_gently(leader: &mut Leader, grace: Duration) -> Option<std::io::Result<Exit>> {
    leader.ask();
    let ended = tokio::time::timeout(grace, leader.wait()).await;
    leader.kill();
    ended.ok()
}

impl WorkingFolder {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn make(command: &Command, own: &Path) -> std::io::Result<WorkingFolder> {
        if let Some(path) = &command.working_folder {
            return Ok(WorkingFolder { path: path.clone(), is_own: false });
        }
        match std::fs::remove_dir_all(own) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(own)?;
        Ok(WorkingFolder { path: own.to_owned(), is_own: true })
    }
}

impl Drop for WorkingFolder {
    fn drop(&mut self) {
        if self.is_own
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(folder = %self.path.display(), %error, "a working folder could not be removed");
        }
    }
}
