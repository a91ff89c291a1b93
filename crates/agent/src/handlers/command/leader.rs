//! The process that leads a run's group: a child of the agent, or of the helper if it is another user's.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use sortie_rules::exits::{CutShort, Exit};
use sortie_rules::tasks::Code;
use sortie_rules::time::Span;
use tokio::io::{AsyncRead, AsyncWriteExt as _};
use tokio::process::Child;

use super::group::Group;
use crate::clock::Steady;
use crate::handlers::{Failure, Work};
use crate::helper::{Helped, Helper};
use crate::launch::{self, Who};
use crate::policy::Command;

/// How long it is tried to end what a program left behind. What does not end by then hangs in the kernel.
const ENDS_WITHIN: Span = Span::seconds(10);
/// How often that is looked at.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(5);

/// What a program writes to.
pub(super) type Stream = Box<dyn AsyncRead + Send + Unpin>;

/// The leader.
pub(super) struct Leader {
    group: Group,
    kind: Kind,
}

enum Kind {
    Own(Child),
    Helped(Helped),
}

impl Leader {
    /// A child of the agent's own, for a task.
    pub(super) fn own(work: &Work, command: &Command, folder: &Path) -> Result<Leader, Failure> {
        let who = Who {
            task: work.task,
            type_name: &work.type_name,
            run: work.run,
            attempt: work.attempt,
            traceparent: work.traceparent.as_deref(),
        };
        let payload = work.payload.get().as_bytes().to_vec();
        Leader::begin(command, who.variables(), payload, folder)
            .map_err(|error| Failure::failed(Code::HANDLER_FAILED, error.to_string(), true))
    }

    /// A child of the agent's own, with these variables and this on its standard input.
    pub(super) fn begin(
        command: &Command,
        variables: Vec<(&'static str, String)>,
        payload: Vec<u8>,
        folder: &Path,
    ) -> std::io::Result<Leader> {
        let mut prepared = launch::prepared(command, variables, folder);
        prepared.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(prepared).kill_on_drop(true).spawn()?;
        let group = child.id().and_then(Group::led_by);
        let group = group.ok_or_else(|| std::io::Error::other("the program ended before it began"))?;
        if let Some(mut stdin) = child.stdin.take() {
            tokio::spawn(async move {
                // A program need not read what it is given.
                let _not_read = stdin.write_all(&payload).await;
            });
        }
        Ok(Leader { group, kind: Kind::Own(child) })
    }

    /// A child of the helper's, as another user.
    pub(super) async fn helped(work: &Work, helper: &Helper) -> Result<Leader, Failure> {
        let helped = helper.begin(work.task, work.run, work.attempt).await?;
        let Some(group) = Group::led_by(helped.process) else {
            return Err(Failure::failed(Code::HELPER_REFUSED, "the helper began no process", false));
        };
        Ok(Leader { group, kind: Kind::Helped(helped) })
    }

    /// Standard output and standard error; once.
    pub(super) fn streams(&mut self) -> (Option<Stream>, Option<Stream>) {
        fn boxed(stream: Option<impl AsyncRead + Send + Unpin + 'static>) -> Option<Stream> {
            stream.map(|stream| Box::new(stream) as Stream)
        }
        match &mut self.kind {
            Kind::Own(child) => (boxed(child.stdout.take()), boxed(child.stderr.take())),
            Kind::Helped(helped) => (boxed(helped.stdout.take()), boxed(helped.stderr.take())),
        }
    }

    /// Waits for its end. Cancelling this loses nothing.
    pub(super) async fn wait(&mut self) -> std::io::Result<Exit> {
        match &mut self.kind {
            Kind::Own(child) => child.wait().await.map(exit_of),
            Kind::Helped(helped) => helped.wait().await,
        }
    }

    /// Asks the whole group to end.
    pub(super) fn ask(&self) {
        match &self.kind {
            Kind::Own(_) => self.group.ask(),
            Kind::Helped(helped) => helped.stop(false),
        }
    }

    /// Ends the whole group.
    pub(super) fn kill(&self) {
        match &self.kind {
            Kind::Own(_) => self.group.kill(),
            Kind::Helped(helped) => helped.stop(true),
        }
    }

    /// Which limit the group is over, if any.
    pub(super) fn over(&self, command: &Command) -> Option<CutShort> {
        self.group.over(command)
    }

    /// Ends whatever the program began and left behind. The helper has done so before it tells of the end.
    pub(super) async fn clear(&self, of: &impl std::fmt::Display) {
        if matches!(self.kind, Kind::Helped(_)) {
            return;
        }
        let begun = Steady::now();
        while self.group.is_there() && self.group.size().processes > 0 {
            self.group.kill();
            if begun.elapsed() > ENDS_WITHIN {
                tracing::warn!(%of, "what a program left behind hangs and cannot be ended");
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}
