//! Whom the helper believes, as the hub's keys rotate. The agent brings the chain of key sets; each link must
//! prove itself from the set at hand here, so that a hostile agent can bring nothing else, and can keep the
//! helper back at most.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use sortie_wire::key_chain::{Followed, follow};
use sortie_wire::keys::KeyChain;

use super::protocol::Answer;
use crate::identity::{Identity, NodeRecord, write_record};

/// One caller at a time changes the copy.
static TURN: Mutex<()> = Mutex::new(());

/// Which key set is believed.
pub(super) fn known(data: &Path) -> Answer {
    match Identity::record(data) {
        Ok(record) => Answer::Keys(record.keys.version),
        Err(error) => refused("helper_refused", &error.to_string()),
    }
}

/// Follows a chain as far as it proves itself, on disk before the answer.
pub(super) fn follow_to(data: &Path, chain: &KeyChain) -> Answer {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let record = match Identity::record(data) {
        Ok(record) => record,
        Err(error) => return refused("helper_refused", &error.to_string()),
    };
    let Followed { set, refusal } = follow(&record.keys, chain);
    let version = set.version;
    if version > record.keys.version {
        tracing::info!(version, "the hub's key set was followed by a newer one");
        if let Err(error) = write_record(&data.join("identity"), &NodeRecord { keys: set, ..record }) {
            return refused("helper_refused", &error.to_string());
        }
    }
    match refusal {
        None => Answer::Keys(version),
        Some(refusal) => {
            tracing::warn!(code = refusal.code(), "the agent brought a key set that does not follow: {refusal}");
            refused(refusal.code(), &refusal.to_string())
        }
    }
}

fn refused(code: &str, message: &str) -> Answer {
    Answer::Refused { code: code.to_owned(), message: message.to_owned() }
}
