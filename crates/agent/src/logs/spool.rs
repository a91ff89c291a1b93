//! The log of one run on disk. Its length is the log's length; nothing in it is ever changed.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sortie_rules::limits::TASK_LOG_BYTES_MAX;

use crate::ledger::RunKey;

/// What stands at the end of a log that was cut.
pub(crate) const CUT_MARK: &[u8] = b"\n[the log ends here: a task's log has at most 10 MB]\n";

/// The log of one run on disk.
#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    file: File,
    length: u64,
    is_cut: bool,
}

impl Spool {
    /// Opens the file of a run, or makes it.
    pub(super) fn open(folder: &Path, run: RunKey) -> io::Result<Spool> {
        let path = folder.join(name_of(run));
        let file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(&path)?;
        let length = file.metadata()?.len();
        Ok(Spool { path, file, length, is_cut: length > TASK_LOG_BYTES_MAX - CUT_MARK.len() as u64 })
    }

    /// Adds to it, up to the limit, where the mark is set.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_cut || bytes.is_empty() {
            return Ok(());
        }
        let room = TASK_LOG_BYTES_MAX - CUT_MARK.len() as u64 - self.length;
        let fits = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        self.write(&bytes[..fits])?;
        if fits < bytes.len() {
            self.is_cut = true;
            self.write(CUT_MARK)?;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Up to `bytes_max` from `offset` on.
    pub(super) fn read(&self, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX).min(bytes_max);
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }

    /// How long it is.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Removes the file.
    pub(super) fn remove(&self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(file = %self.path.display(), %error, "a log that was sent could not be removed");
        }
    }
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
        Spool::open(folder.path(), RUN).unwrap().append(b"one\xff").unwrap();
        assert_eq!(left_behind(folder.path()), [RUN]);
        let mut again = Spool::open(folder.path(), RUN).unwrap();
        again.append(b"two").unwrap();
        assert_eq!((again.length(), again.read(2, 4).unwrap()), (7, b"e\xfftw".to_vec()));
        again.remove();
        assert_eq!(left_behind(folder.path()), []);
    }

    #[test]
    fn a_log_is_cut_at_its_limit_with_a_mark() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), RUN).unwrap();
        for _ in 0..12 {
            spool.append(&[b'x'; 1_000_000]).unwrap();
        }
        assert_eq!(spool.length(), TASK_LOG_BYTES_MAX);
        let mut again = Spool::open(folder.path(), RUN).unwrap();
        again.append(b"more").unwrap();
        assert_eq!(again.length(), TASK_LOG_BYTES_MAX);
        assert!(again.read(TASK_LOG_BYTES_MAX - 20, 20).unwrap().ends_with(b"at most 10 MB]\n"));
    }
}
