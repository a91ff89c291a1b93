//! All tables, in an order in which rows can be put in: whom a row refers to comes before it.
//!
//! A new table gets its line here; the conformance suite compares this list with the schema of both engines.

use crate::dialect;
use crate::errors::StoreError;
use crate::tx::Tx;

/// A table whose rows go with the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// What it is called.
    pub name: &'static str,
    pub(super) order: Order,
}

/// In which order its rows are read: the same on both engines, so that equal rows have equal hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Of these columns, which are its key.
    Key(&'static [&'static str]),
    /// Of the first column. It is read at once: it stays small, and engines sort its key differently.
    Whole,
    /// Of its number; on PostgreSQL what is committed and has none yet comes last, as it arrived.
    Number,
    /// As they arrived. Only on PostgreSQL: entries of the audit log that wait for their link.
    Arrival,
}

/// What PostgreSQL tells arrival by. It is the database's own and never leaves it.
pub(super) const ROW_ID: &str = "row_id";

/// Tables that belong to one database and not to what is kept in it.
pub const LEFT_BEHIND: &[&str] = &["migrations", "leaders"];

const fn by_key(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, order: Order::Key(key) }
}

/// All other tables.
pub const TABLES: &[Table] = &[
    Table { name: "meta", order: Order::Whole },
    by_key("orgs", &["id"]),
    by_key("sites", &["org", "key"]),
    by_key("nodes", &["id"]),
    by_key("node_signs", &["node"]),
    by_key("node_facts", &["node"]),
    by_key("node_keys", &["node"]),
    by_key("node_refusals", &["node"]),
    by_key("trust_keys", &["id"]),
    by_key("invites", &["id"]),
    by_key("tokens", &["id"]),
    by_key("accounts", &["id"]),
    by_key("sessions", &["id"]),
    by_key("denied_tokens", &["org", "jti"]),
    by_key("org_settings", &["org", "key"]),
    by_key("assertions", &["id"]),
    by_key("idempotency", &["org", "principal", "key"]),
    by_key("operator_sets", &["org", "version"]),
    by_key("operations", &["id"]),
    by_key("jobs", &["id"]),
    by_key("job_nodes", &["job", "position"]),
    by_key("tasks", &["id"]),
    by_key("task_logs", &["task", "run", "first"]),
    by_key("task_progress", &["task"]),
    by_key("task_log_ends", &["task", "run"]),
    by_key("blobs", &["id"]),
    by_key("task_log_archives", &["task", "run"]),
    by_key("post_steps", &["task", "run", "name", "item"]),
    by_key("fields", &["org", "holder_kind", "holder", "name"]),
    by_key("publications", &["id"]),
    by_key("publication_nodes", &["publication", "position"]),
    by_key("publication_secrets", &["publication", "secret"]),
    by_key("drafts", &["org", "layer", "layer_of"]),
    by_key("node_desired", &["node"]),
    by_key("node_observed", &["node"]),
    by_key("enforcements", &["node", "resource", "zone"]),
    by_key("secrets", &["org", "name"]),
    by_key("reports", &["node", "kind", "subject", "number"]),
    by_key("alarms", &["id"]),
    by_key("alarm_rules", &["org", "name"]),
    by_key("maintenance", &["id"]),
    by_key("backups", &["node", "target"]),
    by_key("backup_deadlines", &["org", "name"]),
    by_key("node_events", &["node"]),
    by_key("history", &["holder", "step", "at"]),
    by_key("history_levels", &["holder"]),
    by_key("event_followers", &["name"]),
    by_key("recipients", &["org", "name"]),
    by_key("notification_rules", &["org", "name"]),
    by_key("notifications", &["id"]),
    by_key("dispatches", &["id"]),
    by_key("told", &["org", "alarm_rule", "node", "subject", "recipient", "channel"]),
    by_key("hub_keys", &["name"]),
    by_key("hub_key_changes", &["number"]),
    by_key("outbox_cursors", &["relay"]),
    by_key("audit", &["org", "last"]),
    Table { name: "audit_waiting", order: Order::Arrival },
    Table { name: "events", order: Order::Number },
];

/// The table of this name.
pub(super) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// The names of all tables that the database has, sorted.
pub async fn names(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    let sql = if tx.is_postgres() { dialect::TABLES_OF_POSTGRES } else { dialect::TABLES_OF_SQLITE };
    let rows = tx.query(sql, &[]).await?;
    let mut names: Vec<String> =
        rows.into_iter().map(|row| row.columns("tables").text("name")).collect::<Result<_, _>>()?;
    names.sort_unstable();
    Ok(names)
}

/// The columns of a table that go with it, sorted; none if the database has no such table.
pub(super) async fn columns(tx: &mut Tx, table: &str) -> Result<Vec<String>, StoreError> {
    let sql = if tx.is_postgres() { dialect::COLUMNS_OF_POSTGRES } else { dialect::COLUMNS_OF_SQLITE };
    let rows = tx.query(sql, &[table.into()]).await?;
    let mut names: Vec<String> =
        rows.into_iter().map(|row| row.columns("columns").text("name")).collect::<Result<_, _>>()?;
    names.retain(|name| name != ROW_ID);
    names.sort_unstable();
    Ok(names)
}

/// A statement that was put together. There are a few for each table, once in the life of a command, and like
/// every statement of the store they stay.
pub(super) fn statement(text: String) -> &'static str {
    text.leak()
}
