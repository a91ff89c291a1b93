//! Handing an entry in.

use aws_lc_rs::digest::{SHA256, digest};
use sortie_rules::audit::Hash;
use sortie_rules::ids::OrgId;

use crate::errors::StoreError;
use crate::tx::Tx;

/// An entry on its way into the audit log. Its hash is taken where it is made, and not where others wait for
/// the one writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// In whose chain.
    pub(super) org: OrgId,
    /// What was done: canonical JSON (`sortie_rules::audit::canonical`).
    pub(super) text: String,
    pub(super) hash: Hash,
}

impl NewEntry {
    /// An entry with this canonical text.
    pub fn new(org: OrgId, text: String) -> NewEntry {
        let hash = sha256(text.as_bytes());
        NewEntry { org, text, hash }
    }

    /// In whose chain it comes.
    pub(crate) fn org(&self) -> OrgId {
        self.org
    }

    /// Its canonical text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// Hands an entry in: it becomes part of the chain if this transaction commits, and only then.
#[allow(clippy::unused_async, reason = "a verb of the store like the others")]
pub async fn insert(tx: &mut Tx, entry: NewEntry) -> Result<(), StoreError> {
    tx.hand_in(entry)
}

/// The SHA-256 of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
