//! What the helper has verified: one file for each run of another user, from its delivery until long after
//! that has expired, so that no delivery that is played again begins it anew.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sortie_rules::limits::{OPERATION_LIFE_MAX, OPERATOR_CLOCK_AHEAD_MAX};
use sortie_rules::time::{Millis, Span};
use sortie_wire::deliveries::{Delivery, HandedTask};
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
    /// It is remembered until the hub has signed a later time: by then its delivery has expired, and so has its
    /// operation, so that neither begins it once more.
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
pub(super) struct Spool {
    folder: PathBuf,
    /// One caller at a time: two that ask for the same run at once begin it once.
    turn: Mutex<()>,
}

impl Spool {
    pub(super) fn open(folder: PathBuf) -> io::Result<Spool> {
        std::fs::create_dir_all(&folder)?;
        Ok(Spool { folder, turn: Mutex::default() })
    }

    fn path(&self, run: &Run) -> PathBuf {
        self.folder.join(format!("{}.{}.json", run.task, run.run))
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a run of a delivery that was verified. One that is known stays as it is.
    pub(super) fn keep(&self, delivery: &Delivery, handed: &HandedTask) -> Result<(), FolderError> {
        let _turn = self.turn();
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
            remember_until: Some(remember_until(delivery, handed)),
        };
        write(&path, &known)
    }

    /// What is known of a run.
    pub(super) fn look(&self, run: &Run) -> Result<Known, NotBegun> {
        let text = read_if_there(&self.path(run))?.ok_or(NotBegun::Unknown)?;
        serde_json::from_str(&text).map_err(|error| NotBegun::Unreadable(error.to_string()))
    }

    /// Notes that a run begins, and returns it; the note is on disk before it does. `until` is the verified end of
    /// its operation, if it is one.
    pub(super) fn begin(&self, run: &Run, until: Option<Millis>) -> Result<(Known, Box<RawValue>), NotBegun> {
        let _turn = self.turn();
        let mut known = self.look(run)?;
        if known.has_begun && !known.idempotent {
            return Err(NotBegun::Begun);
        }
        let payload = known.payload.clone().ok_or(NotBegun::Begun)?;
        known.has_begun = true;
        known.remember_until = known.remember_until.max(until);
        if !known.idempotent {
            known.payload = None;
        }
        write(&self.path(run), &known)?;
        Ok((known, payload))
    }

    /// Forgets what is old. Says whether there is room for more. `signed` is the latest time that the hub has signed
    /// and that is on disk: what has ended before it is never in time again, whatever a clock shows.
    pub(super) fn tidy(&self, signed: Millis) -> io::Result<bool> {
        let _turn = self.turn();
        let mut runs = 0;
        for entry in std::fs::read_dir(&self.folder)?.flatten() {
            let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
            let is_old = age.is_some_and(|age| age > KEEPS.to_std());
            if is_old && is_over(&entry.path(), signed) {
                std::fs::remove_file(entry.path())?;
            } else {
                runs += 1;
            }
        }
        Ok(runs < RUNS_MAX)
    }
}

/// Whether the run in a file need not be remembered any more. One that cannot be read is kept, and refused.
fn is_over(path: &Path, signed: Millis) -> bool {
    let read = || serde_json::from_slice::<Known>(&std::fs::read(path).ok()?).ok();
    read().is_some_and(|known| known.remember_until.is_none_or(|until| until < signed))
}

/// Until when a run is remembered that has not begun. What its operation says of its end is not verified yet, and
/// an operation that would be valid for longer than any is refused.
fn remember_until(delivery: &Delivery, handed: &HandedTask) -> Millis {
    let longest = delivery.issued_at + OPERATION_LIFE_MAX + OPERATOR_CLOCK_AHEAD_MAX;
    let operation = borne(handed).map(|borne| borne.expires_at.min(longest));
    operation.map_or(delivery.expires_at, |until| until.max(delivery.expires_at))
}

fn write(path: &Path, known: &Known) -> Result<(), FolderError> {
    let text = serde_json::to_vec(known).unwrap_or_default();
    write_whole(path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;
    use sortie_wire::deliveries::Answers;

    const NOW: Millis = Millis(1_800_000_000_000);

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

    fn delivery() -> Delivery {
        let (node, boot) = (Id::from_uuid(uuid::Uuid::nil()), Id::from_uuid(uuid::Uuid::nil()));
        Delivery {
            node,
            answers: Answers { boot, seq: 1 },
            number: 1,
            issued_at: NOW,
            expires_at: NOW + Span::minutes(10),
            tasks: vec![],
            cancel: vec![],
            results_wanted: false,
            protocol: 1,
            keys_version: 1,
            operators_version: 0,
            desired_generation: 0,
        }
    }

    fn run(handed: &HandedTask) -> Run {
        Run { task: handed.id, run: 1, attempt: 1 }
    }

    #[test]
    fn a_run_is_begun_once_unless_it_may_be_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path().join("runs")).unwrap();
        let (once, often) = (handed(1, false), handed(2, true));
        assert!(matches!(spool.begin(&run(&once), None), Err(NotBegun::Unknown)));
        for handed in [&once, &often] {
            spool.keep(&delivery(), handed).unwrap();
            assert_eq!(spool.begin(&run(handed), None).unwrap().1.get(), "{\"a\":1}");
            // The same delivery, played again.
            spool.keep(&delivery(), handed).unwrap();
        }
        assert!(matches!(spool.begin(&run(&once), None), Err(NotBegun::Begun)));
        assert!(spool.begin(&run(&often), None).is_ok());
        assert!(spool.tidy(Millis(0)).unwrap());
    }

    #[test]
    fn a_run_is_forgotten_when_it_is_old_and_the_hub_has_signed_that_its_time_has_passed() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path().join("runs")).unwrap();
        let (once, operation) = (handed(1, false), handed(2, false));
        for handed in [&once, &operation] {
            spool.keep(&delivery(), handed).unwrap();
        }
        spool.begin(&run(&once), None).unwrap();
        spool.begin(&run(&operation), Some(NOW + Span::days(1))).unwrap();
        spool.tidy(Millis(i64::MAX)).unwrap();
        assert!(spool.look(&run(&once)).is_ok(), "it is young");
        // By this machine's clock all of it is old.
        for entry in std::fs::read_dir(folder.path().join("runs")).unwrap() {
            let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
            file.set_modified(std::time::UNIX_EPOCH).unwrap();
        }
        spool.tidy(delivery().expires_at).unwrap();
        assert!(spool.look(&run(&once)).is_ok(), "its delivery is still in time");
        spool.tidy(delivery().expires_at + Span(1)).unwrap();
        assert!(matches!(spool.look(&run(&once)), Err(NotBegun::Unknown)));
        assert!(spool.look(&run(&operation)).is_ok(), "what operators signed is valid for longer");
        spool.tidy(NOW + Span::days(2)).unwrap();
        assert!(matches!(spool.look(&run(&operation)), Err(NotBegun::Unknown)));
    }

    #[test]
    fn two_who_ask_for_a_run_at_once_begin_it_once() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path().join("runs")).unwrap();
        for n in 1..50 {
            let once = handed(n, false);
            spool.keep(&delivery(), &once).unwrap();
            let begin = || {
                spool.keep(&delivery(), &once).unwrap();
                spool.begin(&run(&once), None).is_ok()
            };
            let begun = std::thread::scope(|scope| {
                let both = [scope.spawn(begin), scope.spawn(begin)];
                both.map(|one| one.join().unwrap())
            });
            assert_eq!(begun.iter().filter(|begun| **begun).count(), 1);
        }
    }
}
