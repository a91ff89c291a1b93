//! The helper as a process: a socket for one user, a thread for each caller.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;

use super::operations::Desk;
use super::perform::{Ground, REFUSED, perform};
use super::protocol::{Answer, Ask, Lines, send};
use super::spool::Spool;
use super::take::Intake;
use super::time::Time;
use super::{keys, trust, users};
use crate::clock::{Clock, Entropy};
use crate::identity::IdentityError;

/// Callers at once.
const CALLERS_MAX: usize = 64;
/// How long a caller may take to say what it wants.
const SAYS_WITHIN: Duration = Duration::from_secs(10);

/// What a helper is told.
#[derive(Debug, Clone)]
pub struct HelperOptions {
    /// Its own folder.
    pub data: PathBuf,
    /// The agent's data folder, for the node's id and the hub's keys.
    pub agent_data: PathBuf,
    /// The policy; the agent's `policy.toml` if absent.
    pub policy: Option<PathBuf>,
    /// The socket; `helper.sock` in its own folder if absent.
    pub socket: Option<PathBuf>,
    /// The user as whom the agent runs; whoever owns its data folder if absent.
    pub agent_user: Option<String>,
    /// The operators whom it believes from its first start on.
    pub operators: Option<PathBuf>,
}

/// The helper cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// The agent is not enrolled.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Something that it must be able to believe cannot be.
    #[error("{0}")]
    Distrusted(String),
    /// The file system says no.
    #[error("{}", .path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

struct Insides {
    intake: Intake,
    work: PathBuf,
    agent_uid: u32,
    callers: AtomicUsize,
}

/// Serves until the process ends.
pub fn serve(options: &HelperOptions, clock: Clock, entropy: Entropy) -> Result<(), HelperError> {
    let fault = |path: &Path| {
        let path = path.to_owned();
        move |source| HelperError::Io { path, source }
    };
    let HelperOptions { data, agent_data, .. } = options;
    std::fs::DirBuilder::new().recursive(true).mode(0o711).create(data).map_err(fault(data))?;
    let work = data.join("work");
    std::fs::DirBuilder::new().recursive(true).mode(0o711).create(&work).map_err(fault(&work))?;
    let policy = options.policy.clone().unwrap_or_else(|| agent_data.join("policy.toml"));
    trust::only_ours(&policy).map_err(HelperError::Distrusted)?;
    let agent_uid = match &options.agent_user {
        Some(name) => users::find(name).map_err(HelperError::Distrusted)?.uid,
        None => {
            let meta = std::fs::metadata(agent_data).map_err(fault(agent_data))?;
            std::os::unix::fs::MetadataExt::uid(&meta)
        }
    };
    pin(agent_data, data)?;
    let time = Time::open(data, clock, entropy).map_err(|error| HelperError::Distrusted(error.to_string()))?;
    let desk = Desk::open(data, agent_data, time).map_err(HelperError::Distrusted)?;
    if let Some(file) = &options.operators {
        desk.begin_with(file).map_err(HelperError::Distrusted)?;
    }
    let runs = data.join("runs");
    let spool = Spool::open(runs.clone()).map_err(fault(&runs))?;
    let socket = options.socket.clone().unwrap_or_else(|| data.join("helper.sock"));
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(&socket)(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&socket).map_err(fault(&socket))?;
    // Whoever connects is asked who it is.
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666)).map_err(fault(&socket))?;
    tracing::info!(socket = %socket.display(), agent_uid, "the helper listens");
    let insides = Arc::new(Insides {
        intake: Intake::new(data.clone(), policy, spool, desk),
        work,
        agent_uid,
        callers: AtomicUsize::new(0),
    });
    for stream in listener.incoming() {
        let stream = stream.map_err(fault(&socket))?;
        if insides.callers.fetch_add(1, Ordering::SeqCst) >= CALLERS_MAX {
            insides.callers.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let insides = Arc::clone(&insides);
        std::thread::spawn(move || {
            if let Err(error) = answer(&insides, &stream) {
                tracing::warn!(%error, "a caller was not served");
            }
            insides.callers.fetch_sub(1, Ordering::SeqCst);
        });
    }
    Ok(())
}

/// Takes a copy of who the node is and whom it believes, so that the agent cannot change either. It is taken
/// at the first start; from then on it follows the chain of the hub's key sets by itself. Whoever looks after
/// the machine removes the copy to have it taken again.
fn pin(agent_data: &Path, data: &Path) -> Result<(), HelperError> {
    let identity = data.join("identity");
    if identity.join("node.json").exists() {
        return Ok(());
    }
    let fault = |source| HelperError::Io { path: identity.clone(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&identity).map_err(fault)?;
    let record = std::fs::read(agent_data.join("identity/node.json"));
    let record = record.map_err(|_| IdentityError::NotEnrolled(agent_data.to_owned()))?;
    crate::data_folder::write_whole(&identity.join("node.json"), &record)
        .map_err(|error| HelperError::Distrusted(error.to_string()))
}

fn answer(insides: &Insides, stream: &UnixStream) -> io::Result<()> {
    let caller = socket_peercred(stream.as_fd())?.uid.as_raw();
    if caller != insides.agent_uid && caller != 0 {
        tracing::warn!(caller, "somebody else than the agent asked for something");
        return Ok(());
    }
    stream.set_read_timeout(Some(SAYS_WITHIN))?;
    let mut lines = Lines::new(stream);
    match lines.next()? {
        None => Ok(()),
        Some(Ask::Take(envelope)) => send(stream, &insides.intake.take(&envelope).unwrap_or_else(refused), &[]),
        Some(Ask::Time(envelope)) => send(stream, &insides.intake.hear_time(&envelope).unwrap_or_else(refused), &[]),
        Some(Ask::Operators(chain)) => {
            let followed = insides.intake.desk.follow(&chain).map_or_else(refused, Answer::Operators);
            send(stream, &followed, &[])
        }
        Some(Ask::Keys) => send(stream, &keys::known(&insides.intake.data), &[]),
        Some(Ask::Follow(chain)) => send(stream, &keys::follow_to(&insides.intake.data, &chain), &[]),
        Some(Ask::Run(run)) => {
            stream.set_read_timeout(None)?;
            let Intake { spool, desk, policy, .. } = &insides.intake;
            let ground = Ground { spool, desk, policy, work: &insides.work };
            perform(&ground, stream, &mut lines, &run)
        }
    }
}

fn refused(message: String) -> Answer {
    Answer::Refused { code: REFUSED.to_owned(), message }
}
