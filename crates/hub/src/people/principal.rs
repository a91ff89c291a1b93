//! Who is asking.

use std::sync::Arc;

use sortie_rules::access::Role;
use sortie_rules::ids::OrgId;

/// A person or service that has proved itself.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    /// Its org: it sees nothing else.
    pub(crate) org: OrgId,
    /// Its name, as it stands in events.
    pub(crate) name: Arc<str>,
    /// What it may do.
    pub(crate) role: Role,
    /// What tells it from others of the same name: `Idempotency-Key`s are its own.
    pub(crate) key: Arc<str>,
}
