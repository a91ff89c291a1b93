//! Results that are too large to send: kept at the site, within limits, for its owner to look at.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sortie_rules::limits::{RESULTS_KEPT_BYTES_MAX, RESULTS_KEPT_MAX};

/// Gives a finished file its name among the kept results, and forgets the oldest beyond the limits.
pub(crate) fn keep(folder: &Path, part: &Path, name: &str) -> io::Result<PathBuf> {
    let kept = folder.join(format!("{name}.json"));
    std::fs::rename(part, &kept)?;
    forget_oldest(folder, &kept);
    Ok(kept)
}

/// Keeps a result that is in memory.
pub(crate) fn keep_text(folder: &Path, name: &str, text: &str) -> io::Result<PathBuf> {
    let part = folder.join(format!("{name}.part"));
    std::fs::write(&part, text)?;
    keep(folder, &part, name)
}

/// The kept results, newest first: file, bytes, when.
fn kept(folder: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "json"))
        .filter_map(|entry| {
            let meta = entry.metadata().ok()?;
            Some((entry.path(), meta.len(), meta.modified().ok()?))
        })
        .collect();
    files.sort_by_key(|(path, _, modified)| (std::cmp::Reverse(*modified), path.clone()));
    files
}

fn forget_oldest(folder: &Path, newest: &Path) {
    let mut bytes = 0;
    for (index, (path, length, _)) in kept(folder).into_iter().enumerate() {
        bytes += length;
        if (index >= RESULTS_KEPT_MAX || bytes > RESULTS_KEPT_BYTES_MAX)
            && path != newest
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(file = %path.display(), %error, "an old result could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_no_more_than_may_be() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..RESULTS_KEPT_MAX + 3 {
            keep_text(folder.path(), &format!("{number:04}"), "{}").unwrap();
        }
        let last = folder.path().join(format!("{:04}.json", RESULTS_KEPT_MAX + 2));
        let left = kept(folder.path());
        assert_eq!(left.len(), RESULTS_KEPT_MAX);
        assert!(left.iter().any(|(path, ..)| *path == last));
    }
}
