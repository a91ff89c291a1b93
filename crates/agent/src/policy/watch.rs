//! Reads the policy again when its file has changed.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use sortie_rules::time::Span;
use tokio::sync::watch;

use super::file::{Policy, PolicyError};
use crate::clock::Steady;

/// How often the file is looked at, at most.
const LOOK_EVERY: Span = Span::seconds(1);

/// How often it is looked at while no task asks.
const NOW_AND_THEN: Span = Span::seconds(5);

/// The policy as the file says it now.
#[derive(Debug)]
pub(crate) struct PolicyWatch {
    path: PathBuf,
    seen: Mutex<Seen>,
    /// Counts the changes.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Seen {
    looked: Steady,
    mark: Option<Mark>,
    policy: Arc<Policy>,
}

/// Enough of a file to notice that it was written or replaced.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl PolicyWatch {
    /// Reads the policy for the first time. One that cannot be used is told like one that breaks later: an agent that
    /// would not start could tell nobody.
    pub(crate) fn start(path: PathBuf) -> PolicyWatch {
        let mark = mark(&path);
        let policy = Policy::read(&path).unwrap_or_else(|error| {
            tracing::error!(%error, "the policy cannot be used; nothing runs until it can");
            unusable(&error)
        });
        let seen = Mutex::new(Seen { looked: Steady::now(), mark, policy: Arc::new(policy) });
        PolicyWatch { path, seen, changes: watch::Sender::new(0) }
    }

    /// The policy now, at most a second old. While the file cannot be used, nothing is allowed.
    pub(crate) fn now(&self) -> Arc<Policy> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.elapsed() >= LOOK_EVERY {
            self.look(&mut seen);
        }
        Arc::clone(&seen.policy)
    }

    /// Tells when the policy has changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The policy this very moment: before something is refused that it may have come to allow.
    pub(crate) fn fresh(&self) -> Arc<Policy> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(&mut seen);
        Arc::clone(&seen.policy)
    }

    /// Looks every now and then for ever, so that a change is told of before a task meets it.
    pub(crate) async fn look_now_and_then(&self) {
        loop {
            tokio::time::sleep(NOW_AND_THEN.to_std()).await;
            self.now();
        }
    }

    fn look(&self, seen: &mut Seen) {
        seen.looked = Steady::now();
        let mark = mark(&self.path);
        if mark != seen.mark {
            seen.mark = mark;
            seen.policy = Arc::new(self.read_again());
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    fn read_again(&self) -> Policy {
        match Policy::read(&self.path) {
            Ok(policy) => {
                tracing::info!(path = %self.path.display(), "the policy has changed and was read again");
                policy
            }
            Err(error) => {
                tracing::error!(%error, "the policy has changed and cannot be used; nothing runs until it can");
                unusable(&error)
            }
        }
    }
}

fn unusable(error: &PolicyError) -> Policy {
    Policy { unusable: Some(error.outward()), ..Policy::nothing() }
}

fn mark(path: &std::path::Path) -> Option<Mark> {
    let meta = std::fs::metadata(path).ok()?;
    Some(Mark { inode: meta.ino(), bytes: meta.len(), modified: (meta.mtime(), meta.mtime_nsec()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_tightened_policy_holds_within_a_second_and_a_broken_one_allows_nothing() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("policy.toml");
        std::fs::write(&path, "allow = [\"sleep\", \"sys.info\"]").unwrap();
        let watch = PolicyWatch::start(path.clone());
        assert!(watch.now().allows("sys.info"));
        std::fs::write(&path, "allow = [\"sleep\"]").unwrap();
        tokio::time::advance(LOOK_EVERY.to_std()).await;
        assert!(watch.now().allows("sleep") && !watch.now().allows("sys.info"));
        std::fs::write(&path, "alow = [\"sleep\"]!").unwrap();
        tokio::time::advance(LOOK_EVERY.to_std()).await;
        assert!(!watch.now().allows("sleep"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_policy_that_is_broken_from_the_start_allows_nothing_until_it_is_mended() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("policy.toml");
        let watch = PolicyWatch::start(path.clone());
        assert_eq!(watch.now().unusable(), Some("the file cannot be read: entity not found"));
        std::fs::write(&path, "allow = [\"sleep\"]!").unwrap();
        tokio::time::advance(LOOK_EVERY.to_std()).await;
        assert!(watch.now().unusable().is_some_and(|why| why.starts_with("line 1: ")) && !watch.now().allows("sleep"));
        std::fs::write(&path, "allow = [\"sleep\"]").unwrap();
        tokio::time::advance(LOOK_EVERY.to_std()).await;
        assert!(watch.now().is_usable() && watch.now().allows("sleep"));
    }
}
