//! What is to be sent: the newest report of each kind and subject, however long the hub is away.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sortie_rules::time::Millis;
use sortie_wire::reports::SendReport;
use tokio::sync::Notify;

/// The reports that the hub has not got.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<BTreeMap<Name, SendReport>>,
    /// Rings when there is one more.
    pub(super) bell: Notify,
}

/// The kind and the subject.
type Name = (String, Option<String>);

impl Outbox {
    /// This is to be sent, in place of an earlier one of its kind and subject.
    pub(super) fn put(&self, report: SendReport) {
        self.lock().insert((report.kind.clone(), report.subject.clone()), report);
        self.bell.notify_one();
    }

    /// One that is to be sent.
    pub(super) fn first(&self) -> Option<SendReport> {
        self.lock().values().next().cloned()
    }

    /// This one is through, or will never be.
    pub(super) fn remove(&self, kind: &str, subject: Option<&str>, taken_at: Millis) {
        let name = (kind.to_owned(), subject.map(str::to_owned));
        let mut waiting = self.lock();
        // A newer one may have come meanwhile.
        if waiting.get(&name).is_some_and(|report| report.taken_at == taken_at) {
            waiting.remove(&name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, SendReport>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn report(kind: &str, at: i64) -> SendReport {
        let facts = RawValue::from_string("{}".to_owned()).unwrap();
        SendReport { kind: kind.into(), subject: None, taken_at: Millis(at), source: "agent".into(), facts }
    }

    #[test]
    fn the_newest_of_each_kind_waits_and_goes_once() {
        let outbox = Outbox::default();
        [report("a", 1), report("a", 2), report("b", 1)].into_iter().for_each(|one| outbox.put(one));
        assert_eq!(outbox.first().map(|one| one.taken_at), Some(Millis(2)));
        outbox.remove("a", None, Millis(1));
        assert_eq!(outbox.first().map(|one| one.kind), Some("a".to_owned()), "a newer one has come");
        outbox.remove("a", None, Millis(2));
        outbox.remove("b", None, Millis(1));
        assert!(outbox.first().is_none());
    }
}
