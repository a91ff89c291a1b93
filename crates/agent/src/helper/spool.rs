//! What the helper has verified: one file for each run of another user, from its delivery until long after
//! that has expired, so that no delivery that is played again begins it anew.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sortie_rules::time::{Millis, Span};
use sortie_wire::deliveries::HandedTask;
use sortie_wire::envelope::Envelope;

use super::protocol::Run;
use crate::data_folder::{FolderError, read_if_there, write_whole};
use crate::operations::borne;

/// Most runs that are kept.
const RUNS_MAX: usize = 100_000;
/// How long a run is kept after it came, or was begun: much longer than a delivery is valid. One that has not
/// begun by then comes again with its next try.
const KEEPS: Span = Span::days(2);

/// A run that was verified.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) type_name: String,
    pub(super) idempotent: bool,
    pub(super) traceparent: Option<String>,
    pub(super) has_begun: bool,
    /// Gone once it has begun and may not be begun again.
    pub(super) payload: Option<Box<RawValue>>,
    /// What operators signed.
    #[serde(default)]
    pub(super) operation: Option<Box<Envelope>>,
    /// An operation is remembered until it has expired, so that it is carried out once.
    #[serde(default)]
    pub(super) remember_until: Option<Millis>,
}

/// Why a run does not begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotBegun {
    #[error("the helper knows of no delivery with this run; it comes again with the next try")]
    Unknown,
    #[error("the helper has begun this run before, and it may not be repeated")]
    Begun,
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("a file of the helper's spool cannot be read: {0}")]
    Unreadable(String),
}

/// The folder.
#[derive(Debug)]
pub(super) struct Spool(PathBuf);

impl Spool {
    pub(super) fn open(folder: PathBuf) -> io::Result<Spool> {
        std::fs::create_dir_all(&folder)?;
        Ok(Spool(folder))
    }

    fn path(&self, run: &Run) -> PathBuf {
        self.0.join(format!("{}.{}.json", run.task, run.run))
    }

    /// Keeps a run of a delivery that was verified. One that is known stays as it is.
    pub(super) fn keep(&self, handed: &HandedTask) -> Result<(), FolderError> {
        let run = Run { task: handed.id, run: handed.run, attempt: handed.attempt };
        let path = self.path(&run);
        if path.exists() {
            return Ok(());
        }
        let known = Known {
            type_name: handed.type_name.clone(),
            // What operators signed is done once, whatever the hub says of its type.
            idempotent: handed.idempotent && handed.operation.is_none(),
            traceparent: handed.traceparent.clone(),
            has_begun: false,
            payload: Some(handed.payload.clone()),
            operation: handed.operation.clone(),
            remember_until: borne(handed).map(|borne| borne.expires_at),
        };
        write(&path, &known)
    }

    /// What is known of a run.
    pub(super) fn look(&self, run: &Run) -> Result<Known, NotBegun> {
        let text = read_if_there(&self.path(run))?.ok_or(NotBegun::Unknown)?;
        serde_json::from_str(&text).map_err(|error| NotBegun::Unreadable(error.to_string()))
    }

    /// Notes that a run begins, and returns it; the note is on disk before it does.
    pub(super) fn begin(&self, run: &Run) -> Result<(Known, Box<RawValue>), NotBegun> {
        let mut known = self.look(run)?;
        if known.has_begun && !known.idempotent {
            return Err(NotBegun::Begun);
        }
        let payload = known.payload.clone().ok_or(NotBegun::Begun)?;
        known.has_begun = true;
        if !known.idempotent {
            known.payload = None;
        }
        write(&self.path(run), &known)?;
        Ok((known, payload))
    }

    /// Forgets what is old. Says whether there is room for more. `forgets` hears of each operation before, with
    /// the time at which it expired.
    pub(super) fn tidy(&self, now: Millis, forgets: impl Fn(Millis) -> io::Result<()>) -> io::Result<bool> {
        let mut runs = 0;
        for entry in std::fs::read_dir(&self.0)?.flatten() {
            let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
            let until = if age.is_some_and(|age| age > KEEPS.to_std()) { expires(&entry.path()) } else { Some(now) };
            match until {
                Some(until) if until >= now => runs += 1,
                until => {
                    until.map_or(Ok(()), &forgets)?;
                    std::fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(runs < RUNS_MAX)
    }
}

/// When the operation in a file expires, if it is one.
fn expires(path: &Path) -> Option<Millis> {
    let known: Known = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    known.remember_until
}

fn write(path: &Path, known: &Known) -> Result<(), FolderError> {
    let text = serde_json::to_vec(known).unwrap_or_default();
    write_whole(path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;

    fn handed(number: u128, idempotent: bool) -> HandedTask {
        HandedTask {
            id: Id::from_uuid(uuid::Uuid::from_u128(number)),
            run: 1,
            attempt: 1,
            type_name: "x.y".into(),
            idempotent,
            lease: Span::seconds(60),
            not_after: None,
            traceparent: None,
            secrets: Vec::new(),
            operation: None,
            payload: RawValue::from_string("{\"a\":1}".into()).unwrap(),
        }
    }

    #[test]
    fn a_run_is_begun_once_unless_it_may_be_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path().join("runs")).unwrap();
        let (once, often) = (handed(1, false), handed(2, true));
        let run = |handed: &HandedTask| Run { task: handed.id, run: 1, attempt: 1 };
        assert!(matches!(spool.begin(&run(&once)), Err(NotBegun::Unknown)));
        for handed in [&once, &often] {
            spool.keep(handed).unwrap();
            assert_eq!(spool.begin(&run(handed)).unwrap().1.get(), "{\"a\":1}");
            // The same delivery, played again.
            spool.keep(handed).unwrap();
        }
        assert!(matches!(spool.begin(&run(&once)), Err(NotBegun::Begun)));
        assert!(spool.begin(&run(&often)).is_ok());
        assert!(spool.tidy(Millis(0), |_| Ok(())).unwrap());
    }
}
