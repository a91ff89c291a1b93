//! One program of a builtin that does its work with the machine's own: no payload, no result, an exit code.

use std::io;

use sortie_rules::exits::{CutShort, Exit, Verdict, Written, judge_exit};
use sortie_rules::tasks::Code;

use super::check::check;
use super::leader::Leader;
use super::run::{Places, WorkingFolder, listen, stop_gently};
use crate::handlers::{Failure, Work};
use crate::helper::uid_of;
use crate::launch;
use crate::policy::Command;

/// How a program ended that was begun.
#[derive(Debug)]
pub(crate) struct Stepped {
    /// How it ended; an error if nobody was left to see it.
    pub(crate) exit: io::Result<Exit>,
    cut: Option<CutShort>,
    last_words: String,
}

impl Stepped {
    /// The failure that it is, unless it ended well.
    pub(crate) fn failure(self, what: &str) -> Option<Failure> {
        let exit = match self.exit {
            Ok(exit) => exit,
            Err(error) => return Some(Failure::failed(Code::HANDLER_FAILED, format!("{what}: {error}"), false)),
        };
        // What it writes is its log and nothing else.
        match judge_exit(self.cut, exit, Written::Json, &[]) {
            Verdict::Completed => None,
            Verdict::Cancelled => Some(Failure::Cancelled),
            Verdict::Failed { code, message, .. } => {
                let words = self.last_words.trim();
                let message = if words.is_empty() { message } else { format!("{message}; its last words: {words}") };
                Some(Failure::failed(code, format!("{what}: {message}"), false))
            }
        }
    }
}

/// Whether a program of this user's is for the helper to run.
pub(crate) async fn is_for_helper(command: &Command) -> Result<bool, Failure> {
    let Some(user) = command.user.clone() else { return Ok(false) };
    let uid = tokio::task::spawn_blocking(move || uid_of(&user)).await;
    let uid = uid.unwrap_or_else(|error| Err(error.to_string()));
    let uid = uid.map_err(|why| Failure::failed(Code::HANDLER_FAILED, why, false))?;
    Ok(uid != rustix::process::geteuid().as_raw())
}

/// Refuses a program that could not be begun anyway. What the helper runs is for the helper to see.
pub(crate) fn can_begin(command: &Command, by_helper: bool) -> Result<(), Failure> {
    if by_helper {
        return Ok(());
    }
    if !launch::is_answered() {
        let message = "this agent's program does not call `launch_if_asked`, so it cannot run commands";
        return Err(Failure::failed(Code::HANDLER_FAILED, message, false));
    }
    check(&command.program)
}

/// Runs it to its end. A failure here means that it was not begun.
pub(crate) async fn step(work: &Work, command: &Command, by_helper: bool, places: &Places) -> Result<Stepped, Failure> {
    let trouble = |error: io::Error| Failure::failed(Code::HANDLER_FAILED, error.to_string(), false);
    let mut folder = None;
    let mut leader = if by_helper {
        Leader::helped(work, &places.helper).await?
    } else {
        can_begin(command, false)?;
        let name = format!("{}.{}", work.task, work.run);
        let own = folder.insert(WorkingFolder::make(command, &places.work.join(name)).map_err(trouble)?);
        Leader::own(work, command, own.path())?
    };
    let (stdout, stderr) = leader.streams();
    let mut hearing = Box::pin(async { tokio::join!(listen(stdout, work), listen(stderr, work)) });
    let (mut cut, mut heard, mut stopped) = (None, None, None);
    let wall = tokio::time::sleep(command.wall.to_std());
    tokio::pin!(wall);
    let exit = loop {
        if let Some(ended) = stopped.take() {
            break ended;
        }
        tokio::select! {
            ended = leader.wait() => break ended,
            said = &mut hearing, if heard.is_none() => heard = Some(said),
            () = work.stop.cancelled(), if cut.is_none() => {
                cut = Some(CutShort::Cancelled);
                stopped = stop_gently(&mut leader, command.stop_grace.to_std()).await;
            }
            () = &mut wall, if cut.is_none() => {
                cut = Some(CutShort::WallTime);
                stopped = stop_gently(&mut leader, command.stop_grace.to_std()).await;
            }
        }
    };
    leader.clear(&work.task).await;
    if heard.is_none() {
        heard = tokio::time::timeout(super::run::PIPES_CLOSE, &mut hearing).await.ok();
    }
    drop(hearing);
    let last_words = heard.map(|(said, complained)| if complained.is_empty() { said } else { complained });
    Ok(Stepped { exit, cut, last_words: last_words.unwrap_or_default() })
}
