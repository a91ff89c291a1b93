//! Sessions that were used lately, so that a request costs no query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sortie_rules::ids::SessionId;
use sortie_rules::sessions::Session;
use sortie_rules::time::Millis;
use sortie_store::sessions::{self, SessionRow};
use sortie_store::{Store, StoreError};

use crate::people::{Principal, Proof, holds};

/// Most sessions kept in memory.
const KNOWN_MAX: usize = 10_000;

/// All that are in memory.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    known: Mutex<Entries>,
    used: Mutex<HashMap<SessionId, Millis>>,
}

#[derive(Debug, Default)]
struct Entries {
    by_id: HashMap<SessionId, Arc<Known>>,
    /// Rises when a session ends or changes: a row read before that is not remembered after it.
    changes: u64,
}

/// One session.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) row: SessionRow,
    pub(super) principal: Principal,
}

impl Sessions {
    /// Forgets what is known of a session: it has another secret, or none.
    pub(super) fn forget(&self, id: SessionId) {
        let mut entries = self.entries();
        entries.changes += 1;
        entries.by_id.remove(&id);
    }

    /// Takes the times at which sessions were last used, to be written down together.
    pub(crate) fn take_used(&self) -> Vec<(SessionId, Millis)> {
        // They are kept in memory until they are written: a look in between must not find an old time.
        let mut used: Vec<_> = self.uses().iter().map(|(id, at)| (*id, *at)).collect();
        used.sort_unstable();
        used
    }

    /// These were written down.
    pub(crate) fn written(&self, used: &[(SessionId, Millis)]) {
        let mut uses = self.uses();
        for (id, at) in used {
            if uses.get(id) == Some(at) {
                uses.remove(id);
            }
        }
        drop(uses);
        let mut entries = self.entries();
        // What is in memory of them is older than what is written.
        used.iter().for_each(|(id, _)| drop(entries.by_id.remove(id)));
    }

    /// When a session was last used, if that has not been written down yet.
    pub(super) fn used_since(&self, id: SessionId) -> Option<Millis> {
        self.uses().get(&id).copied()
    }

    /// The session is used.
    pub(super) fn note_used(&self, id: SessionId, now: Millis) {
        self.uses().insert(id, now);
    }

    /// The session of this id.
    pub(super) async fn find(&self, store: &Store, id: SessionId) -> Result<Option<Arc<Known>>, StoreError> {
        let before = {
            let entries = self.entries();
            if let Some(known) = entries.by_id.get(&id) {
                return Ok(Some(Arc::clone(known)));
            }
            entries.changes
        };
        let row = store.read(move |tx| Box::pin(async move { sessions::get(tx, id).await })).await?;
        let Some(row) = row else { return Ok(None) };
        let principal = Principal {
            org: row.org,
            name: row.name.as_str().into(),
            role: row.role,
            permissions: holds(row.role, None, row.org),
            key: format!("session:{id}").into(),
            proof: Proof::Session(id),
            subject: row.subject.as_str().into(),
            asking: None,
        };
        let known = Arc::new(Known { row, principal });
        let mut entries = self.entries();
        if entries.changes == before {
            if entries.by_id.len() >= KNOWN_MAX {
                entries.by_id.clear();
            }
            entries.by_id.insert(id, Arc::clone(&known));
        }
        Ok(Some(known))
    }

    /// What is to be judged of a session.
    pub(super) fn to_judge(&self, known: &Known) -> Session {
        let row = &known.row;
        Session {
            last_used_at: self.used_since(row.id).unwrap_or(row.last_used_at).max(row.last_used_at),
            rotated_at: row.rotated_at,
            ends_at: row.ends_at,
            confirmed: row.confirmed,
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<SessionId, Millis>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
