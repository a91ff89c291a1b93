//! The rule: no statement looks at every row of a table that grows. And the lists of how each finds its rows.

use std::fmt::Write as _;
use std::path::Path;

use sortie_store::Store;

use super::filled::{fill_all, look_at_all};
use super::reading::{Access, Way, plan};
use super::recorder::statements;
use crate::setup::{postgres, sqlite};

/// Tables that stay small: they have a row for an org, a setting, a step of the schema, a key of the hub's.
const SMALL: &[&str] = &[
    "orgs",
    "meta",
    "migrations",
    "org_settings",
    "operator_sets",
    "hub_keys",
    "hub_key_changes",
    "leaders",
    "outbox_cursors",
    "event_followers",
];

/// Statements that are meant to look at every row, by a piece of their text: with the table and the reason.
const MEANT: &[(&str, &str, &str)] = &[
    ("update node_desired set generation = case", "node_desired", "at a restore, for every node"),
    ("update node_signs set silent_since = $2 - case", "node_signs", "at the hub's start, every node's silence moves"),
    ("update node_signs set silent_since = case", "node_signs", "when the hub's clock is put elsewhere, as above"),
    ("update alarms set due_at = due_at", "alarms", "as above: what time alone changes moves with the clock"),
    ("update notifications set due_at = due_at +", "notifications", "as above, and what is held back"),
    ("update notifications set waits_since = waits_since", "notifications", "as above, and what waits"),
    ("update told set told_at = told_at", "told", "as above, and when the same may be told again"),
    ("update dispatches set since = since", "dispatches", "as above, and what is tried"),
    ("update dispatches set next_at = next_at", "dispatches", "as above"),
    (
        "insert into history_levels (holder, online, since_at, known_since) select",
        "node_signs",
        "once, at the first start",
    ),
    ("insert into history_levels (holder, online, since_at, known_since) select", "nodes", "as above"),
    ("insert into history_levels (holder, online, since_at, known_since) select", "history_levels", "as above"),
    ("from denied_tokens order by org, jti", "denied_tokens", "at the hub's start; expired ones are forgotten"),
    ("from node_keys k join nodes n", "node_keys", "an administrator rotates keys; every node is asked after"),
    ("from node_keys k join nodes n", "nodes", "as above"),
    ("from node_keys k join nodes n", "node_signs", "as above"),
    (
        "from node_desired d left join node_observed o on o.org = d.org",
        "node_desired",
        "what each node of an org has accepted is held against what is meant for it, when somebody asks",
    ),
    ("from node_desired d left join node_observed o on o.org = d.org", "nodes", "as above, whichever it begins with"),
    ("from audit_waiting order by row_id limit", "audit_waiting", "takes from the front of what waits"),
];

/// Indexes that hold only what waits to be worked off, and are read from their front, or only a few exceptions.
const QUEUES: &[&str] =
    &["events_pending", "operations_ending", "tasks_overdue", "node_signs_skewed", "notifications_waiting"];

/// When plans are made: a plan that was made while a table was small is kept for a while as it grows, and a table may
/// have grown without the engine having looked at it.
const WHEN: [&str; 3] = ["empty", "not looked at", "full"];

#[tokio::test]
async fn no_statement_looks_at_every_row_of_a_table_that_grows_on_postgres() {
    let store = postgres().await;
    judge(&store, "postgres.txt").await;
    store.close().await;
}

#[tokio::test]
async fn no_statement_looks_at_every_row_of_a_table_that_grows_on_sqlite() {
    let (store, _folder) = sqlite().await;
    judge(&store, "sqlite.txt").await;
    store.close().await;
}

async fn judge(store: &Store, list: &str) {
    let statements = statements(store).await;
    let (mut told, mut against) = (String::new(), Vec::new());
    for when in WHEN {
        match when {
            "empty" => {}
            "not looked at" => fill_all(store).await,
            _ => look_at_all(store).await,
        }
        told.clear();
        for sql in &statements {
            let accesses = plan(store, sql).await;
            let breaking = accesses.iter().filter(|access| breaks(sql, access));
            against.extend(breaking.map(|access| complaint(sql, access, when)));
            if !accesses.is_empty() {
                tell(&mut told, sql, &accesses);
            }
        }
    }
    compare(list, &told);
    assert!(against.is_empty(), "{} against the rule:\n{}", against.len(), against.join("\n"));
}

fn breaks(sql: &str, access: &Access) -> bool {
    let by_a_part = match &access.way {
        Way::Index { .. } | Way::Place => true,
        Way::WholeIndex { name } => QUEUES.contains(&name.as_str()),
        Way::Scan | Way::Pairs => false,
    };
    let is_small = SMALL.contains(&access.table.as_str());
    let is_meant = MEANT.iter().any(|(piece, table, _)| plain(sql).contains(piece) && access.table == *table);
    !by_a_part && !is_small && !is_meant
}

fn complaint(sql: &str, access: &Access, when: &str) -> String {
    format!("  {} of {} (while the tables are {when}): {}", how(&access.way), access.table, plain(sql))
}

/// A statement on one line.
fn plain(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn how(way: &Way) -> String {
    match way {
        Way::Index { name, condition } => format!("{name} {condition}"),
        Way::WholeIndex { name } => format!("all along {name}"),
        Way::Place => "by its place".to_owned(),
        Way::Scan => "every row".to_owned(),
        Way::Pairs => "each row with each".to_owned(),
    }
}

fn tell(told: &mut String, sql: &str, accesses: &[Access]) {
    writeln!(told, "{}", plain(sql)).expect("a String can be written");
    for access in accesses {
        writeln!(told, "    {}: {}", access.table, how(&access.way)).expect("a String can be written");
    }
}

/// Holds the plans to the list in review.
fn compare(list: &str, told: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/plans").join(list);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, told).unwrap();
        return;
    }
    let listed = std::fs::read_to_string(&file).unwrap_or_default();
    let differs: Vec<String> = told
        .lines()
        .filter(|line| !listed.lines().any(|known| known == *line))
        .map(|line| format!("+ {line}"))
        .chain(listed.lines().filter(|line| !told.lines().any(|now| now == *line)).map(|line| format!("- {line}")))
        .collect();
    assert!(
        differs.is_empty() && listed == told,
        "the plans are not those in {list}; look at them, and write them with UPDATE=1:\n{}",
        differs.join("\n")
    );
}
