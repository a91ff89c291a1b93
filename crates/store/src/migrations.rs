//! Brings a database's schema up to date at open: forward only, one transaction per step.
//!
//! A change that an older program could not live with comes in two steps: one version expands, a
//! later one contracts and names, as `oldest_program`, the oldest schema that a program must know.

use sortie_rules::time::Millis;

use crate::errors::{OpenError, StoreError};
use crate::value::Value;
use crate::whole::PendingStep;
use crate::{meta, postgres, sqlite};

/// One step of the schema.
struct Migration {
    /// Its number; steps are taken in this order.
    version: i64,
    /// What it brings.
    name: &'static str,
    /// The oldest schema that a program must know to use the database after this step.
    oldest_program: i64,
    /// The step on SQLite.
    sqlite: &'static str,
    /// The same step on PostgreSQL.
    postgres: &'static str,
}

/// All steps, in order.
const ALL: &[Migration] = &[
    Migration {
        version: 1,
        name: "fleet",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0001_fleet.sql"),
        postgres: include_str!("../migrations/postgres/0001_fleet.sql"),
    },
    Migration {
        version: 2,
        name: "logs",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0002_logs.sql"),
        postgres: include_str!("../migrations/postgres/0002_logs.sql"),
    },
    Migration {
        version: 3,
        name: "post_steps",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0003_post_steps.sql"),
        postgres: include_str!("../migrations/postgres/0003_post_steps.sql"),
    },
    Migration {
        version: 4,
        name: "jobs",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0004_jobs.sql"),
        postgres: include_str!("../migrations/postgres/0004_jobs.sql"),
    },
    Migration {
        version: 5,
        name: "trust_keys",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0005_trust_keys.sql"),
        postgres: include_str!("../migrations/postgres/0005_trust_keys.sql"),
    },
    Migration {
        version: 6,
        name: "people",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0006_people.sql"),
        postgres: include_str!("../migrations/postgres/0006_people.sql"),
    },
    Migration {
        version: 7,
        name: "audit",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0007_audit.sql"),
        postgres: include_str!("../migrations/postgres/0007_audit.sql"),
    },
    Migration {
        version: 8,
        name: "refusals",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0008_refusals.sql"),
        postgres: include_str!("../migrations/postgres/0008_refusals.sql"),
    },
    Migration {
        version: 9,
        name: "operations",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0009_operations.sql"),
        postgres: include_str!("../migrations/postgres/0009_operations.sql"),
    },
    Migration {
        version: 10,
        name: "identity",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0010_identity.sql"),
        postgres: include_str!("../migrations/postgres/0010_identity.sql"),
    },
    Migration {
        version: 11,
        name: "node_keys",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0011_node_keys.sql"),
        postgres: include_str!("../migrations/postgres/0011_node_keys.sql"),
    },
    Migration {
        version: 12,
        name: "replicas",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0012_replicas.sql"),
        postgres: include_str!("../migrations/postgres/0012_replicas.sql"),
    },
    Migration {
        version: 13,
        name: "outbox",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0013_outbox.sql"),
        postgres: include_str!("../migrations/postgres/0013_outbox.sql"),
    },
    Migration {
        version: 14,
        name: "grown_tables",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0014_grown_tables.sql"),
        postgres: include_str!("../migrations/postgres/0014_grown_tables.sql"),
    },
    Migration {
        version: 15,
        name: "blobs",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0015_blobs.sql"),
        postgres: include_str!("../migrations/postgres/0015_blobs.sql"),
    },
    Migration {
        version: 16,
        name: "summaries",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0016_summaries.sql"),
        postgres: include_str!("../migrations/postgres/0016_summaries.sql"),
    },
    Migration {
        version: 17,
        name: "desired",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0017_desired.sql"),
        postgres: include_str!("../migrations/postgres/0017_desired.sql"),
    },
    Migration {
        version: 18,
        name: "hosts",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0018_hosts.sql"),
        postgres: include_str!("../migrations/postgres/0018_hosts.sql"),
    },
    Migration {
        version: 19,
        name: "enforcements",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0019_enforcements.sql"),
        postgres: include_str!("../migrations/postgres/0019_enforcements.sql"),
    },
    Migration {
        version: 20,
        name: "standings",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0020_standings.sql"),
        postgres: include_str!("../migrations/postgres/0020_standings.sql"),
    },
    Migration {
        version: 21,
        name: "lines",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0021_lines.sql"),
        postgres: include_str!("../migrations/postgres/0021_lines.sql"),
    },
    Migration {
        version: 22,
        name: "alarms",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0022_alarms.sql"),
        postgres: include_str!("../migrations/postgres/0022_alarms.sql"),
    },
    Migration {
        version: 23,
        name: "notifications",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0023_notifications.sql"),
        postgres: include_str!("../migrations/postgres/0023_notifications.sql"),
    },
    Migration {
        version: 24,
        name: "maintenance",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0024_maintenance.sql"),
        postgres: include_str!("../migrations/postgres/0024_maintenance.sql"),
    },
    Migration {
        version: 25,
        name: "backups",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0025_backups.sql"),
        postgres: include_str!("../migrations/postgres/0025_backups.sql"),
    },
    Migration {
        version: 26,
        name: "history",
        oldest_program: 1,
        sqlite: include_str!("../migrations/sqlite/0026_history.sql"),
        postgres: include_str!("../migrations/postgres/0026_history.sql"),
    },
];

/// The table of what was done, and the table that says who may use the database. The same on both
/// engines.
const FIRST: &str = "
    create table if not exists migrations (
        version bigint not null primary key, name text not null, applied_at bigint not null
    );
    create table if not exists meta (key text not null primary key, value text not null);
";

pub(crate) const NEWEST_APPLIED: &str = "select max(version) from migrations";
const OLDEST_PROGRAM: &str = "select value from meta where key = 'oldest_program_schema'";
const RECORD: &str = "insert into migrations (version, name, applied_at) values ($1, $2, $3)";

/// The newest step of all.
pub(crate) fn newest_known() -> i64 {
    ALL.last().map_or(0, |last| last.version)
}

/// The steps that a database of this schema has not taken.
pub(crate) fn steps_after(applied: i64) -> Vec<PendingStep> {
    let pending =
        |step: &Migration| PendingStep { version: step.version, name: step.name, oldest_program: step.oldest_program };
    ALL.iter().filter(|step| step.version > applied).map(pending).collect()
}

/// Whom a database lets in, from what it says. One that does not say lets in no older program.
pub(crate) fn oldest_program_of(applied: i64, said: Option<&str>) -> i64 {
    said.and_then(|text| text.parse().ok()).unwrap_or(applied)
}

/// The steps that are missing up to `until`, or that the database has moved beyond this program.
fn missing(applied: i64, oldest_program: Option<&str>, until: i64) -> Result<&'static [Migration], OpenError> {
    let program_schema = newest_known();
    let oldest_program = oldest_program_of(applied, oldest_program);
    if applied > program_schema && oldest_program > program_schema {
        return Err(OpenError::DatabaseNewer { database_schema: applied, program_schema, oldest_program });
    }
    let first_missing = ALL.iter().position(|step| step.version > applied).unwrap_or(ALL.len());
    let end = ALL.iter().position(|step| step.version > until).unwrap_or(ALL.len());
    Ok(&ALL[first_missing.min(end)..end])
}

/// Takes the steps up to `until`; [`newest_known`] for all of them.
pub(crate) fn on_sqlite(connection: &mut sqlite::Connection, now: Millis, until: i64) -> Result<(), OpenError> {
    let all = |connection: &mut sqlite::Connection| -> Result<Result<(), OpenError>, StoreError> {
        connection.batch(FIRST)?;
        let applied = one(connection.query(NEWEST_APPLIED, &[])?, |row| row.int_or_none("version"))?.unwrap_or(0);
        let oldest = one(connection.query(OLDEST_PROGRAM, &[])?, |row| row.text_or_none("value"))?;
        let steps = match missing(applied, oldest.as_deref(), until) {
            Ok(steps) => steps,
            Err(newer) => return Ok(Err(newer)),
        };
        for step in steps {
            let mut take = || -> Result<(), StoreError> {
                connection.batch(step.sqlite)?;
                connection.execute(RECORD, &record(step, now))?;
                connection.execute(meta::SET, &oldest_program(&step.oldest_program.to_string()))?;
                Ok(())
            };
            if let Err(why) = take() {
                return Ok(Err(OpenError::Migration { version: step.version, name: step.name, why }));
            }
        }
        Ok(Ok(()))
    };
    let unreachable = |why: StoreError| OpenError::Unreachable { what: "the database".into(), why: why.to_string() };
    // Immediate: of two hubs that start on one file, the second waits and finds the work done.
    connection.batch("begin immediate").map_err(unreachable)?;
    let done = all(connection).map_err(unreachable).and_then(|done| done);
    let end = if done.is_ok() { "commit" } else { "rollback" };
    let ended = connection.batch(end).map_err(unreachable);
    done.and(ended)
}

/// As on SQLite; the caller has begun the transaction and taken the lock.
pub(crate) async fn on_postgres(
    transaction: &mut postgres::Transaction,
    now: Millis,
    until: i64,
) -> Result<(), OpenError> {
    let unreachable = |why: StoreError| OpenError::Unreachable { what: "the database".into(), why: why.to_string() };
    transaction.batch(FIRST).await.map_err(unreachable)?;
    let rows = transaction.query(NEWEST_APPLIED, &[]).await.map_err(unreachable)?;
    let applied = one(rows, |row| row.int_or_none("version")).map_err(unreachable)?.unwrap_or(0);
    let rows = transaction.query(OLDEST_PROGRAM, &[]).await.map_err(unreachable)?;
    let oldest = one(rows, |row| row.text_or_none("value")).map_err(unreachable)?;
    for step in missing(applied, oldest.as_deref(), until)? {
        let failed = |why| OpenError::Migration { version: step.version, name: step.name, why };
        transaction.batch(step.postgres).await.map_err(failed)?;
        transaction.execute(RECORD, &record(step, now)).await.map_err(failed)?;
        let oldest = step.oldest_program.to_string();
        transaction.execute(meta::SET, &oldest_program(&oldest)).await.map_err(failed)?;
    }
    Ok(())
}

fn record(step: &Migration, now: Millis) -> [Value<'static>; 3] {
    [step.version.into(), step.name.into(), now.into()]
}

fn oldest_program(schema: &str) -> [Value<'_>; 2] {
    ["oldest_program_schema".into(), schema.into()]
}

fn one<T>(
    rows: Vec<crate::row::Row>,
    read: impl FnOnce(&mut crate::row::Columns) -> Result<Option<T>, StoreError>,
) -> Result<Option<T>, StoreError> {
    rows.into_iter().next().map_or(Ok(None), |row| read(&mut row.columns("migrations")))
}
