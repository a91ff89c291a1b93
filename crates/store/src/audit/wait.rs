//! PostgreSQL only: entries that wait for their link.

/// Adds an entry to those that wait. It travels together with the commit of its transaction.
pub(crate) const WAIT: &str = "insert into audit_waiting (org, entry) values ($1, $2)";
