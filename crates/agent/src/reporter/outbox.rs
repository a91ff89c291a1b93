//! Results on their way out. Every one of them is on disk; here lie copies, and only so many.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::ledger::Ended;

/// Most results in memory.
const RESULTS_MAX: usize = 2000;
/// Most bytes of results in memory.
const BYTES_MAX: usize = 8 << 20;

/// Results on their way out.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    inner: Mutex<Inner>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    ended: VecDeque<Ended>,
    bytes: usize,
    /// The ledger holds results that are not here.
    more: bool,
}

/// What there is to send.
#[derive(Debug)]
pub(super) enum Contents {
    /// These.
    Here(Vec<Ended>),
    /// Something, to be read from the ledger.
    InLedger,
    /// Nothing.
    Nothing,
}

impl Outbox {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run has ended and is on disk.
    pub(crate) fn push(&self, ended: Ended) {
        let mut inner = self.inner();
        let bytes = inner.bytes + ended.result.len();
        if inner.more || inner.ended.len() >= RESULTS_MAX || (bytes > BYTES_MAX && !inner.ended.is_empty()) {
            inner.more = true;
        } else {
            inner.bytes = bytes;
            inner.ended.push_back(ended);
        }
        drop(inner);
        self.bell.notify_one();
    }

    /// The ledger holds unreported results that were not pushed here.
    pub(crate) fn look_again(&self) {
        self.inner().more = true;
        self.bell.notify_one();
    }

    /// Takes what there is: at most `rows`, and after the first no more than fit into `bytes`.
    pub(super) fn take(&self, rows: usize, bytes: usize) -> Contents {
        let mut inner = self.inner();
        let (mut taken, mut total) = (Vec::new(), 0);
        while let Some(next) = inner.ended.front() {
            let length = next.result.len();
            if taken.len() >= rows || (!taken.is_empty() && total + length > bytes) {
                break;
            }
            total += length;
            inner.bytes -= length;
            taken.extend(inner.ended.pop_front());
        }
        match (taken.is_empty(), inner.more) {
            (false, _) => Contents::Here(taken),
            (true, true) => {
                inner.more = false;
                Contents::InLedger
            }
            (true, false) => Contents::Nothing,
        }
    }

    /// Waits until something was pushed.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::RunKey;
    use sortie_rules::ids::Id;
    use sortie_rules::time::Millis;
    use std::sync::Arc;

    fn ended(run: u32, bytes: usize) -> Ended {
        let run = RunKey { task: Id::from_uuid(uuid::Uuid::from_u128(1)), run };
        Ended { run, result: Arc::new(vec![b'x'; bytes]), at: Millis(0) }
    }
    fn here(contents: Contents) -> usize {
        match contents {
            Contents::Here(ended) => ended.len(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_does_not_fit_is_left_to_the_ledger() {
        let outbox = Outbox::default();
        (0..10).for_each(|run| outbox.push(ended(run, 1 << 20)));
        assert_eq!(here(outbox.take(1000, 3 << 20)), 3);
        assert_eq!(here(outbox.take(4, usize::MAX)), 4);
        assert_eq!(here(outbox.take(1000, usize::MAX)), 1);
        assert!(matches!(outbox.take(1000, usize::MAX), Contents::InLedger));
        assert!(matches!(outbox.take(1000, usize::MAX), Contents::Nothing));
    }

    #[test]
    fn one_result_is_taken_however_large() {
        let outbox = Outbox::default();
        outbox.push(ended(1, BYTES_MAX + 1));
        outbox.push(ended(2, 1));
        assert_eq!(here(outbox.take(1000, 10)), 1);
        assert!(matches!(outbox.take(1000, 10), Contents::InLedger));
    }
}
