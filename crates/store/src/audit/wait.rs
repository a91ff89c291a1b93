//! PostgreSQL only: entries that wait for their link.

/// Adds an entry to those that wait. It travels together with the commit of its transaction.
pub(crate) const WAIT: &str = "insert into audit_waiting (org, entry) values ($1, $2)";

/// Those that have waited longest, in the order in which they were begun.
pub(super) const OLDEST: &str = "select row_id, org, entry from audit_waiting order by row_id limit $1";

/// Takes one of them away.
pub(super) const TAKE: &str = "delete from audit_waiting where row_id = $1";
