//! One run as another user, from the agent's word to its end.

use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde_json::value::RawValue;

use super::operations::{Desk, NotVerified};
use super::protocol::{Answer, Lines, Run, Tell, send};
use super::spool::{NotBegun, Spool};
use super::{trust, users};
use crate::handlers::Failure;
use crate::launch::{Who, prepared};
use crate::policy::{Command, Kind, Policy};

/// The words of refusals. The agent knows the first, after which another try may go better.
pub(super) const UNKNOWN_RUN: &str = "helper_unknown_run";
pub(super) const REFUSED: &str = "helper_refused";

/// What a run needs.
#[derive(Debug)]
pub(super) struct Ground<'g> {
    pub(super) spool: &'g Spool,
    pub(super) desk: &'g Desk,
    pub(super) policy: &'g Path,
    pub(super) work: &'g Path,
}

/// A process group that is ended only while it is surely ours.
struct Group {
    leader: Pid,
    is_ours: Mutex<bool>,
}

impl Group {
    fn signal(&self, signal: Signal) {
        let is_ours = self.is_ours.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_ours {
            // Whoever has ended meanwhile need not be told.
            let _gone = kill_process_group(self.leader, signal);
        }
    }
}

/// Runs it and tells how it ended.
pub(super) fn perform(ground: &Ground<'_>, stream: &UnixStream, lines: &mut Lines<'_>, run: &Run) -> io::Result<()> {
    let refuse = |code: &str, message: String| {
        tracing::warn!(task = %run.task, run = run.run, "a run was refused: {message}");
        send(stream, &Answer::Refused { code: code.to_owned(), message }, &[])
    };
    let ends = std::mem::take(&mut lines.ends);
    let Ok([stdout, stderr]) = <[OwnedFd; 2]>::try_from(ends) else {
        return refuse(REFUSED, "a run comes with the ends of two pipes".to_owned());
    };
    let begun = match begin(ground, run, stdout, stderr) {
        Ok(begun) => begun,
        Err(Trouble::Unknown(message)) => return refuse(UNKNOWN_RUN, message),
        Err(Trouble::Refused(message)) => return refuse(REFUSED, message),
        Err(Trouble::Coded(code, message)) => return refuse(&code, message),
        Err(Trouble::AskTheTime(nonce)) => return send(stream, &Answer::AskTheTime(nonce), &[]),
    };
    let (mut child, folder) = begun;
    let leader = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let Some(leader) = leader else { return refuse(REFUSED, "the program ended before it began".to_owned()) };
    let group = Group { leader, is_ours: Mutex::new(true) };
    let sent = send(stream, &Answer::Began(child.id()), &[]);
    let status = std::thread::scope(|scope| {
        scope.spawn(|| {
            // An agent that goes, or says nonsense, takes the run along.
            while let Ok(Some(tell)) = lines.next::<Tell>() {
                group.signal(if tell == Tell::Stop { Signal::TERM } else { Signal::KILL });
            }
            group.signal(Signal::KILL);
        });
        if sent.is_err() {
            group.signal(Signal::KILL);
        }
        let status = end(&mut child, &group);
        if let Ok(status) = &status {
            let answer = Answer::Ended { code: status.code(), signal: status.signal() };
            let _gone = send(stream, &answer, &[]);
        }
        // The thread above reads until the other side has gone.
        let _closed = stream.shutdown(std::net::Shutdown::Both);
        status
    });
    if let Some(folder) = folder {
        std::fs::remove_dir_all(folder)?;
    }
    status.map(drop)
}

/// Waits for the leader, ends what it left behind, and only then lets its number go.
fn end(child: &mut Child, group: &Group) -> io::Result<ExitStatus> {
    loop {
        match waitid(WaitId::Pid(group.leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => break,
        }
    }
    group.signal(Signal::KILL);
    *group.is_ours.lock().unwrap_or_else(PoisonError::into_inner) = false;
    child.wait()
}

enum Trouble {
    Unknown(String),
    Refused(String),
    /// With a word of its own.
    Coded(String, String),
    /// Nothing is wrong, but that nobody has told the time.
    AskTheTime(String),
}

impl From<NotVerified> for Trouble {
    fn from(why: NotVerified) -> Trouble {
        match why {
            NotVerified::AskTheTime(nonce) => Trouble::AskTheTime(nonce),
            NotVerified::Refused(failure) => failure.into(),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        match failure {
            Failure::Rejected { code, message } | Failure::Failed { code, message, .. } => {
                Trouble::Coded(code.0, message)
            }
            Failure::Cancelled => Trouble::Refused("it was called off".to_owned()),
        }
    }
}

impl From<NotBegun> for Trouble {
    fn from(why: NotBegun) -> Trouble {
        match why {
            NotBegun::Unknown => Trouble::Unknown(why.to_string()),
            _ => Trouble::Refused(why.to_string()),
        }
    }
}

fn begin(
    ground: &Ground<'_>,
    run: &Run,
    stdout: OwnedFd,
    stderr: OwnedFd,
) -> Result<(Child, Option<PathBuf>), Trouble> {
    let known = ground.spool.look(run)?;
    let policy = policy_for(ground.policy, &known.type_name).map_err(Trouble::Refused)?;
    // What operators have to sign is verified here as if nobody had done so before.
    let signed =
        policy.signatures(&known.type_name).map(|needed| ground.desk.verify(run, &known, needed)).transpose()?;
    let params = signed.as_ref().map(|signed| &signed.params).or(known.payload.as_ref());
    let command = command_of(&policy, &known.type_name, params.map(AsRef::as_ref)).map_err(Trouble::Refused)?;
    let name = command.user.as_deref().unwrap_or_default();
    let user = users::find(name).map_err(Trouble::Refused)?;
    trust::only_ours(&command.program).map_err(Trouble::Refused)?;
    let refused = |error: io::Error| Trouble::Refused(error.to_string());
    let (folder, own) = match &command.working_folder {
        Some(folder) => (folder.clone(), None),
        None => {
            let folder = ground.work.join(format!("{}.{}", run.task, run.run));
            make_folder(&folder, user).map_err(refused)?;
            (folder.clone(), Some(folder))
        }
    };
    let (known, unsigned) = ground.spool.begin(run, signed.as_ref().map(|signed| signed.expires_at))?;
    let payload = signed.map_or(unsigned, |signed| signed.params);
    let who = Who {
        task: run.task,
        type_name: &known.type_name,
        run: run.run,
        attempt: run.attempt,
        traceparent: known.traceparent.as_deref(),
    };
    let mut prepared = prepared(&command, who.variables(), &folder);
    prepared.stdin(Stdio::piped()).stdout(stdout).stderr(stderr).uid(user.uid).gid(user.gid);
    let mut child = prepared.spawn().map_err(|error| Trouble::Refused(format!("as `{name}`: {error}")))?;
    tracing::info!(task = %run.task, run = run.run, r#type = %known.type_name, user = name, "a run begins");
    if let Some(mut stdin) = child.stdin.take() {
        std::thread::spawn(move || {
            // A program need not read what it is given.
            let _not_read = stdin.write_all(payload.get().as_bytes());
        });
    }
    Ok((child, own))
}

/// The policy, if it lets a type run.
fn policy_for(policy: &Path, type_name: &str) -> Result<Policy, String> {
    trust::only_ours(policy)?;
    let policy = Policy::read(policy).map_err(|error| error.to_string())?;
    if policy.allows(type_name) { Ok(policy) } else { Err(format!("the policy does not let {type_name} run")) }
}

/// What the policy says of a type, if it gives it to another user.
fn command_of(policy: &Policy, type_name: &str, params: Option<&RawValue>) -> Result<Command, String> {
    match policy.handlers.get(type_name).map(|handling| &handling.kind) {
        Some(Kind::Command(command)) if command.user.is_some() => return Ok(command.clone()),
        _ if !policy.is_for_helper(type_name) => return Err(format!("the policy gives {type_name} to no other user")),
        _ => {}
    }
    let params = params.ok_or_else(|| NotBegun::Begun.to_string())?;
    let builtin = policy.builtin_of(type_name).unwrap_or(type_name);
    policy.privileged_command(builtin, params).map_err(|error| error.to_string())
}

fn make_folder(folder: &Path, user: users::User) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::DirBuilder::new().mode(0o700).create(folder)?;
    std::os::unix::fs::chown(folder, Some(user.uid), Some(user.gid))
}
