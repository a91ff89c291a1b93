//! Everything in which the two engines differ, each with a name and a reason.

use std::borrow::Cow;
use std::fmt::Write;

/// Sorts after every id, as the cursor of a list that begins at its newest.
pub(crate) const ABOVE_ALL_IDS: &str = "~";

/// Sorts after every name, as the end of a range without an end: names are ASCII.
pub(crate) const ABOVE_ALL_NAMES: &str = "\u{10FFFF}";

/// The unique keys of the schema: the name that callers decide on, which is the constraint's name
/// on PostgreSQL, and the columns by which SQLite names it instead.
const UNIQUE_KEYS: &[(&str, &str)] = &[
    (crate::orgs::ID_TAKEN, "orgs.id"),
    (crate::orgs::NAME_TAKEN, "orgs.name"),
    (crate::nodes::ID_TAKEN, "nodes.id"),
    // The key that tasks refer to says the same, and SQLite may look at it first.
    (crate::nodes::ID_TAKEN, "nodes.org, nodes.id"),
    (crate::nodes::NAME_TAKEN, "nodes.org, nodes.name"),
    (crate::invites::ID_TAKEN, "invites.id"),
    (crate::tokens::ID_TAKEN, "tokens.id"),
    (crate::accounts::NAME_TAKEN, "accounts.name"),
    (crate::idempotency::KEY_TAKEN, "idempotency.org, idempotency.principal, idempotency.key"),
    (crate::tasks::ID_TAKEN, "tasks.id"),
    (crate::operator_sets::VERSION_TAKEN, "operator_sets.org, operator_sets.version"),
    (
        crate::desired::publications::REVISION_TAKEN,
        "publications.org, publications.layer, publications.layer_of, publications.revision",
    ),
    (crate::desired::publications::ONE_GOES_OUT, "publications.org, publications.layer, publications.layer_of"),
    (crate::reports::NUMBER_TAKEN, "reports.node, reports.kind, reports.subject, reports.number"),
];

/// The text as both engines keep it: PostgreSQL has no zero byte in a text, so it becomes `\u{FFFD}`.
pub(crate) fn keepable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}").into() } else { text.into() }
}

/// The name of a unique key from PostgreSQL's word for it.
pub(crate) fn unique_by_name(constraint: &str) -> Option<&'static str> {
    UNIQUE_KEYS.iter().map(|(name, _)| *name).find(|name| *name == constraint)
}

/// The name of a unique key from SQLite's word for it, which lists its columns.
pub(crate) fn unique_by_columns(columns: &str) -> Option<&'static str> {
    UNIQUE_KEYS.iter().find(|(_, listed)| *listed == columns).map(|(name, _)| *name)
}

/// SQLite numbers `$1` by first appearance but `?1` by its number, so its texts say `?`.
pub(crate) fn sqlite_text(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        let mark = if after.starts_with(|c: char| c.is_ascii_digit()) { '?' } else { '$' };
        write!(text, "{}{mark}", &rest[..at]).expect("writing to a String never fails");
        rest = after;
    }
    text.push_str(rest);
    text
}

/// A text that finds a set of labels within stored ones by `like … escape '!'`.
///
/// Stored labels are JSON with sorted keys, so the wanted ones stand in them in order. Within a
/// JSON string every quote is escaped, so a quoted pair is found only where it is a pair. `None` if
/// nothing is wanted.
pub(crate) fn labels_pattern(wanted: &[(String, String)]) -> Option<String> {
    let mut pairs: Vec<String> = wanted
        .iter()
        .map(|(key, value)| format!("{}:{}", serde_json::Value::from(&**key), serde_json::Value::from(&**value)))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let like = |text: &str| text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let pattern: String = pairs.iter().map(|pair| format!("%{}", like(pair))).collect();
    (!pairs.is_empty()).then(|| pattern + "%")
}

/// The least text above every text that starts with `prefix`, for ranges that an index can serve.
/// `None` if there is none, as for an empty prefix.
pub(crate) fn prefix_end(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = (u32::from(last) + 1..=0x0010_FFFF).find_map(char::from_u32) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// PostgreSQL only: one hub at a time numbers events; SQLite numbers at insert, since its transactions commit
/// one after the other. The number is arbitrary but must never change.
pub(crate) const LOCK_EVENT_NUMBERS: &str = "select pg_advisory_xact_lock(7308325551093837427)";

/// PostgreSQL only: one hub at a time gives links to entries of the audit log. The number is arbitrary but must
/// never change.
pub(crate) const LOCK_AUDIT_CHAINS: &str = "select pg_advisory_xact_lock(7308325551093837428)";

/// Keeps a site from being removed until the transaction ends, and waits for who removes it at this moment. SQLite's
/// transactions that write come one after the other.
pub(crate) const HOLD_SITE_ON_SQLITE: &str = "select key from sites where org = $1 and key = $2";
/// The same on PostgreSQL; many may hold one site at once.
pub(crate) const HOLD_SITE_ON_POSTGRES: &str = "select key from sites where org = $1 and key = $2 for share";

/// Keeps everybody else from holding a site, and from coming to it, until the transaction ends.
pub(crate) const HOLD_SITE_ALONE_ON_SQLITE: &str =
    "select org, key, name, created_at from sites where org = $1 and key = $2";
/// The same on PostgreSQL. It waits for nodes and invites that are coming to the site, too: they refer to its row.
pub(crate) const HOLD_SITE_ALONE_ON_POSTGRES: &str =
    "select org, key, name, created_at from sites where org = $1 and key = $2 for update";

/// PostgreSQL only: whether a hub's lock is free. It is taken for the length of the transaction, and shared, so that
/// several who look do not take each other for its holder.
pub(crate) const LOCK_IS_FREE: &str =
    "select cast(case when pg_try_advisory_xact_lock_shared(cast($1 as bigint)) then 1 else 0 end as bigint)";

/// The tables that a database has. SQLite keeps its schema in a table of its own.
pub(crate) const TABLES_OF_SQLITE: &str =
    "select name from sqlite_master where type = 'table' and name not like 'sqlite!_%' escape '!'";
/// The same on PostgreSQL, which has them in views whose types are its own.
pub(crate) const TABLES_OF_POSTGRES: &str =
    "select cast(table_name as text) from information_schema.tables where table_schema = current_schema()";

/// The columns of a table, on SQLite.
pub(crate) const COLUMNS_OF_SQLITE: &str = "select name from pragma_table_info($1)";
/// The same on PostgreSQL.
pub(crate) const COLUMNS_OF_POSTGRES: &str = "select cast(column_name as text) from information_schema.columns
    where table_schema = current_schema() and cast(table_name as text) = $1";

/// PostgreSQL only: who else of this program is connected. SQLite's data folder has a lock.
pub(crate) const OTHERS_CONNECTED: &str = "select count(*) from pg_stat_activity
    where datname = current_database() and application_name = current_setting('application_name')
    and pid <> pg_backend_pid()";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_for_sqlite() {
        assert_eq!(sqlite_text("a = $2 and b = $10 or c = '$'"), "a = ?2 and b = ?10 or c = '$'");
    }

    #[test]
    fn a_zero_byte_is_replaced_and_nothing_else_is_touched() {
        assert_eq!(keepable("a\0b\0"), "a\u{FFFD}b\u{FFFD}");
        assert!(matches!(keepable("größer\n"), Cow::Borrowed("größer\n")));
    }

    #[test]
    fn a_prefix_ends_before_the_next_text() {
        assert_eq!(prefix_end("task."), Some("task/".to_owned()));
        assert_eq!(prefix_end("a\u{10FFFF}"), Some("b".to_owned()));
        assert_eq!(prefix_end("\u{D7FF}"), Some("\u{E000}".to_owned()));
        assert_eq!(prefix_end(""), None);
    }

    #[test]
    fn wanted_labels_become_one_pattern_in_the_order_of_their_keys() {
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        let pattern = labels_pattern(&[pair("ring", "100%"), pair("a_b", "x\"y")]);
        assert_eq!(pattern.as_deref(), Some(r#"%"a!_b":"x\"y"%"ring":"100!%"%"#));
        assert_eq!(labels_pattern(&[]), None);
    }
}
