//! The agent's side of the helper's socket.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::pipe::{PipeFlags, pipe_with};
use sortie_rules::exits::Exit;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Code;
use sortie_wire::envelope::Envelope;
use sortie_wire::keys::KeyChain;
use sortie_wire::operators::OperatorChain;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::oneshot;

use super::perform::{REFUSED, UNKNOWN_RUN};
use super::protocol::{Answer, Ask, Lines, Run, Tell, send};
use crate::handlers::Failure;
use crate::hub::Hub;
use crate::operations::{Known, Standing};

/// How long the helper may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// Where the helper is, if there is one, and the hub, whose time it is told.
#[derive(Debug, Clone)]
pub(crate) struct Helper {
    socket: Option<PathBuf>,
    hub: Arc<Hub>,
}

/// A run that the helper has begun. Dropping this ends it.
#[derive(Debug)]
pub(crate) struct Helped {
    /// The process, which leads a group.
    pub(crate) process: u32,
    pub(crate) stdout: Option<Receiver>,
    pub(crate) stderr: Option<Receiver>,
    stream: Arc<UnixStream>,
    ended: oneshot::Receiver<io::Result<Exit>>,
}

impl Helper {
    pub(crate) fn new(socket: Option<PathBuf>, hub: Arc<Hub>) -> Helper {
        Helper { socket, hub }
    }

    /// Hands a delivery on while it is valid. Nothing is lost if that fails: the run then says why.
    pub(crate) async fn take(&self, envelope: &Envelope) {
        self.hand_on("a delivery", || Ask::Take(Box::new(envelope.clone()))).await;
    }

    /// Hands on whom the site believes as its operators. The helper believes those who follow whom it believes
    /// already; if it does not, the run then says why.
    pub(crate) async fn follow(&self, standing: &Standing) {
        if self.socket.is_some()
            && let Ok(Known::Set(believed)) = standing.known()
        {
            self.hand_on("operators", || Ask::Operators(OperatorChain { links: believed.links.clone() })).await;
        }
    }

    async fn hand_on(&self, what: &str, ask: impl Fn() -> Ask) {
        if self.socket.is_none() {
            return;
        }
        let mut answer = self.say(ask()).await;
        if let Ok(Some(Answer::AskTheTime(nonce))) = &answer {
            answer = match self.tell_the_time(nonce).await {
                Ok(()) => self.say(ask()).await,
                Err(error) => Err(error),
            };
        }
        match answer {
            Ok(Some(Answer::Refused { message, .. })) => tracing::warn!("the helper refused {what}: {message}"),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the helper could not be given {what}"),
        }
    }

    /// Says something that has one answer.
    async fn say(&self, ask: Ask) -> io::Result<Option<Answer>> {
        let Some(socket) = self.socket.clone() else { return Ok(None) };
        let asked = tokio::task::spawn_blocking(move || {
            let stream = UnixStream::connect(&socket)?;
            stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
            send(&stream, &ask, &[])?;
            Lines::new(&stream).next::<Answer>()
        });
        asked.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Brings it the hub's time for its nonce. It opens no connection of its own.
    async fn tell_the_time(&self, nonce: &str) -> io::Result<()> {
        let signed = self.hub.signed_time(nonce).await;
        let signed = signed.map_err(|error| io::Error::other(format!("it wants the hub's signed time: {error}")))?;
        match self.say(Ask::Time(Box::new(signed))).await? {
            Some(Answer::Time(_)) => Ok(()),
            Some(Answer::Refused { message, .. }) => Err(io::Error::other(message)),
            _ => Err(io::Error::other("the helper gave no answer")),
        }
    }

    /// Whether somebody listens there.
    pub(crate) async fn is_there(&self) -> Result<(), Failure> {
        let socket = self.socket.clone().ok_or_else(nobody)?;
        let shown = socket.display().to_string();
        let connected = tokio::task::spawn_blocking(move || UnixStream::connect(&socket)).await;
        let connected = connected.unwrap_or_else(|error| Err(io::Error::other(error)));
        let away = |error| Failure::failed(Code::HELPER_UNAVAILABLE, format!("the helper at {shown}: {error}"), true);
        connected.map(drop).map_err(away)
    }

    /// Which of the hub's key sets the helper believes; `None` if there is no helper.
    pub(crate) async fn keys(&self) -> io::Result<Option<u64>> {
        self.told(Ask::Keys).await
    }

    /// Brings it what follows.
    pub(crate) async fn follow_keys(&self, chain: KeyChain) -> io::Result<Option<u64>> {
        self.told(Ask::Follow(Box::new(chain))).await
    }

    async fn told(&self, ask: Ask) -> io::Result<Option<u64>> {
        if self.socket.is_none() {
            return Ok(None);
        }
        match self.say(ask).await? {
            Some(Answer::Keys(version)) => Ok(Some(version)),
            Some(Answer::Refused { message, .. }) => Err(io::Error::other(message)),
            _ => Err(io::Error::other("the helper gave no answer")),
        }
    }

    /// Has a run begun.
    pub(crate) async fn begin(&self, task: TaskId, run: u32, attempt: u32) -> Result<Helped, Failure> {
        let away = |why: String| Failure::failed(Code::HELPER_UNAVAILABLE, why, true);
        let socket = self.socket.clone().ok_or_else(nobody)?;
        let shown = socket.display().to_string();
        let run = Run { task, run, attempt };
        let try_once = async || {
            let (socket, run) = (socket.clone(), run.clone());
            let began = tokio::task::spawn_blocking(move || begin(&socket, run));
            let began = began.await.unwrap_or_else(|error| Err(io::Error::other(error)));
            began.map_err(|error| away(format!("the helper at {shown}: {error}")))
        };
        let mut began = try_once().await?;
        if let Some(Answer::AskTheTime(nonce)) = &began.1 {
            let told = self.tell_the_time(nonce).await;
            // Nothing has begun, and that is sure.
            told.map_err(|error| Failure::failed(Code::HELPER_REFUSED, error.to_string(), true))?;
            began = try_once().await?;
        }
        let (stream, answer, stdout, stderr) = began;
        let process = match answer {
            Some(Answer::Began(process)) => process,
            Some(Answer::Refused { code, message }) => {
                let retry = code == UNKNOWN_RUN;
                let message = if retry || code == REFUSED { message } else { format!("{code}: {message}") };
                return Err(Failure::failed(Code::HELPER_REFUSED, message, retry));
            }
            _ => return Err(away(format!("the helper at {shown} gave no answer"))),
        };
        let pipe = |end: OwnedFd| Receiver::from_owned_fd(end).map_err(|error| away(error.to_string()));
        let (stdout, stderr) = (Some(pipe(stdout)?), Some(pipe(stderr)?));
        let (tell, ended) = oneshot::channel();
        let stream = Arc::new(stream);
        let listened = Arc::clone(&stream);
        std::thread::spawn(move || {
            // Nobody may be left to hear it.
            let _unheard = tell.send(listen(&listened));
        });
        Ok(Helped { process, stdout, stderr, stream, ended })
    }
}

fn nobody() -> Failure {
    let why = "the policy gives this type to another user, and the setting `helper` names no helper that could run it";
    Failure::failed(Code::HELPER_UNAVAILABLE, why, false)
}

type Began = (UnixStream, Option<Answer>, OwnedFd, OwnedFd);

fn begin(socket: &PathBuf, run: Run) -> io::Result<Began> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
    let pipe = || pipe_with(PipeFlags::CLOEXEC);
    let ((stdout, into_stdout), (stderr, into_stderr)) = (pipe()?, pipe()?);
    send(&stream, &Ask::Run(run), &[into_stdout.as_fd(), into_stderr.as_fd()])?;
    drop((into_stdout, into_stderr));
    for end in [&stdout, &stderr] {
        rustix::io::ioctl_fionbio(end, true)?;
    }
    let answer = Lines::new(&stream).next()?;
    stream.set_read_timeout(None)?;
    Ok((stream, answer, stdout, stderr))
}

fn listen(stream: &UnixStream) -> io::Result<Exit> {
    match Lines::new(stream).next()? {
        Some(Answer::Ended { code: Some(code), .. }) => Ok(Exit::Code(code)),
        Some(Answer::Ended { signal, .. }) => Ok(Exit::Signal(signal.unwrap_or_default())),
        _ => Err(io::Error::other("the helper has gone, and the program with it")),
    }
}

impl Helped {
    /// Asks it to end, or ends it.
    pub(crate) fn stop(&self, now: bool) {
        // If the helper has gone, so has the program.
        let _gone = send(&self.stream, if now { &Tell::Kill } else { &Tell::Stop }, &[]);
    }

    /// Waits for its end; ask once.
    pub(crate) async fn wait(&mut self) -> io::Result<Exit> {
        let ended = (&mut self.ended).await;
        ended.unwrap_or_else(|_| Err(io::Error::other("the helper's line has closed")))
    }
}

impl Drop for Helped {
    fn drop(&mut self) {
        let _closed = self.stream.shutdown(std::net::Shutdown::Both);
    }
}
