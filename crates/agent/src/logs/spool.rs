//! The log of one run on disk. Its length is the log's length; nothing in it is ever changed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sortie_rules::limits::{LOG_SPOOL_BYTES_MAX, TASK_LOG_BYTES_MAX};

use crate::ledger::RunKey;

/// What stands at the end of a log that was cut.
pub(crate) const CUT_MARK: &[u8] = b"\n[the log ends here: a task's log has at most 10 MB]\n";

/// What stands at the end of a log that was cut because too much waits for the hub.
const FULL_MARK: &[u8] = b"\n[the log ends here: the agent keeps no more logs until the hub has taken some]\n";

/// How many bytes all logs of an agent have on disk.
pub(super) type Total = Arc<AtomicU64>;

/// The log of one run on disk.
#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    /// Made with the first byte: most runs say nothing.
    file: Option<File>,
    length: u64,
    is_cut: bool,
    total: Total,
}

impl Spool {
    /// Opens the file of a run, if there is one.
    pub(super) fn open(folder: &Path, run: RunKey, total: &Total) -> io::Result<Spool> {
        let path = folder.join(name_of(run));
        let file = match OpenOptions::new().append(true).read(true).open(&path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let length = file.as_ref().map_or(Ok(0), |file| file.metadata().map(|meta| meta.len()))?;
        total.fetch_add(length, Ordering::Relaxed);
        Ok(Spool { path, file, length, is_cut: is_full(length), total: Arc::clone(total) })
    }

    /// Adds to it, up to the limit, where the mark is set.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_cut || bytes.is_empty() {
            return Ok(());
        }
        let room = TASK_LOG_BYTES_MAX - CUT_MARK.len() as u64 - self.length;
        let room_of_all = LOG_SPOOL_BYTES_MAX.saturating_sub(self.total.load(Ordering::Relaxed));
        let fits = usize::try_from(room.min(room_of_all)).unwrap_or(usize::MAX).min(bytes.len());
        self.write(&bytes[..fits])?;
        if fits < bytes.len() {
            self.is_cut = true;
            self.write(if room <= room_of_all { CUT_MARK } else { FULL_MARK })?;
        }
        Ok(())
    }

    /// The file, which is made if it is not there.
    fn file(&mut self) -> io::Result<&mut File> {
        let made = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(&self.path)?,
        };
        Ok(self.file.insert(made))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.file()?.write_all(bytes)?;
        self.length += bytes.len() as u64;
        self.total.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// The hub has this much. Where a power cut took the end of the file, it goes on where the hub does;
    /// what lies between is at the hub and is never sent from here.
    pub(super) fn reach(&mut self, offset: u64) -> io::Result<()> {
        let offset = offset.min(TASK_LOG_BYTES_MAX);
        if offset > self.length {
            self.file()?.set_len(offset)?;
            self.total.fetch_add(offset - self.length, Ordering::Relaxed);
            self.length = offset;
            self.is_cut |= is_full(offset);
        }
        Ok(())
    }

    /// Up to `bytes_max` from `offset` on.
    pub(super) fn read(&self, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX).min(bytes_max);
        let mut bytes = vec![0; length];
        if let Some(file) = self.file.as_ref().filter(|_| length > 0) {
            file.read_exact_at(&mut bytes, offset)?;
        }
        Ok(bytes)
    }

    /// How long it is.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Removes the file.
    pub(super) fn remove(&self) {
        if self.file.is_none() {
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), %error, "a log that was sent could not be removed");
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.total.fetch_sub(self.length, Ordering::Relaxed);
    }
}

fn is_full(length: u64) -> bool {
    length > TASK_LOG_BYTES_MAX - CUT_MARK.len() as u64
}

/// The file name of a run's log.
fn name_of(run: RunKey) -> String {
    format!("{}.{}.log", run.task, run.run)
}

/// The runs whose logs lie in a folder.
pub(super) fn left_behind(folder: &Path) -> Vec<RunKey> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let read = |name: &str| {
        let (task, run) = name.strip_suffix(".log")?.split_once('.')?;
        Some(RunKey { task: task.parse().ok()?, run: run.parse().ok()? })
    };
    let mut runs: Vec<RunKey> = entries.filter_map(|entry| read(entry.file_name().to_str()?)).collect();
    runs.sort();
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;

    const RUN: RunKey = RunKey { task: Id::from_uuid(uuid::Uuid::from_u128(7)), run: 2 };

    #[test]
    fn a_log_is_found_again_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        Spool::open(folder.path(), RUN, &Total::default()).unwrap().append(b"one\xff").unwrap();
        assert_eq!(left_behind(folder.path()), [RUN]);
        let mut again = Spool::open(folder.path(), RUN, &Total::default()).unwrap();
        again.append(b"two").unwrap();
        assert_eq!((again.length(), again.read(2, 4).unwrap()), (7, b"e\xfftw".to_vec()));
        again.remove();
        assert_eq!(left_behind(folder.path()), []);
    }

    #[test]
    fn a_run_that_says_nothing_has_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), RUN, &Total::default()).unwrap();
        spool.append(b"").unwrap();
        assert_eq!((left_behind(folder.path()), spool.read(0, 9).unwrap()), (vec![], vec![]));
        spool.remove();
    }

    #[test]
    fn a_log_is_cut_at_its_limit_with_a_mark() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), RUN, &Total::default()).unwrap();
        for _ in 0..12 {
            spool.append(&[b'x'; 1_000_000]).unwrap();
        }
        assert_eq!(spool.length(), TASK_LOG_BYTES_MAX);
        let mut again = Spool::open(folder.path(), RUN, &Total::default()).unwrap();
        again.append(b"more").unwrap();
        assert_eq!(again.length(), TASK_LOG_BYTES_MAX);
        assert!(again.read(TASK_LOG_BYTES_MAX - 20, 20).unwrap().ends_with(b"at most 10 MB]\n"));
    }

    #[test]
    fn where_a_power_cut_took_the_end_the_log_goes_on_where_the_hub_does() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), RUN, &Total::default()).unwrap();
        spool.append(b"on").unwrap();
        spool.reach(1).unwrap();
        assert_eq!(spool.length(), 2);
        spool.reach(10).unwrap();
        spool.append(b"next").unwrap();
        assert_eq!((spool.length(), spool.read(10, 100).unwrap()), (14, b"next".to_vec()));
    }

    #[test]
    fn all_logs_together_have_a_limit_until_the_hub_has_taken_some() {
        let folder = tempfile::tempdir().unwrap();
        let total = Total::new(AtomicU64::new(LOG_SPOOL_BYTES_MAX - 3));
        let mut spool = Spool::open(folder.path(), RUN, &total).unwrap();
        spool.append(b"abcdef").unwrap();
        spool.append(b"more").unwrap();
        let text = spool.read(0, 1000).unwrap();
        assert!(text.starts_with(b"abc\n[the log ends here") && text.ends_with(FULL_MARK));
        spool.remove();
        drop(spool);
        assert_eq!(total.load(Ordering::Relaxed), LOG_SPOOL_BYTES_MAX - 3);
    }
}
