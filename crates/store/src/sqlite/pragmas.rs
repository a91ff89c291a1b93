//! How a connection is set up, and why.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;

use super::connection::Connection;
use super::faults::unreachable;
use crate::errors::OpenError;

/// For every connection. Another process (a backup, a person with a shell) may hold a lock for a
/// moment; nothing in this one does. `like` tells capitals apart, as PostgreSQL's does.
pub(super) const COMMON: &str = "
    pragma busy_timeout = 10000;
    pragma foreign_keys = on;
    pragma temp_store = memory;
    pragma trusted_schema = off;
    pragma case_sensitive_like = on;
";

/// A statement is planned once, whatever its values. Without this SQLite looks at the values where a partial index
/// might serve, and plans anew with each of them: a twelfth of a hub's processor time when all agents came back. Our
/// partial indexes are meant for statements that name the value themselves.
const PLANS_ONCE: DbConfig = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;

/// The journal of a new file becomes a WAL once, for every connection. All who open it at the same moment want that,
/// each reads first and none lets the others write: SQLite refuses instead of waiting. (A data folder's lock keeps a
/// second hub out before that; a backup, or whoever else uses the store, it does not.)
const WAL: &str = "pragma journal_mode = wal";

/// For how long that is tried, and the pause between two tries.
const WAL_WITHIN: Duration = Duration::from_secs(10);
const WAL_PAUSE: Duration = Duration::from_millis(10);

/// For the writer. A WAL with `synchronous = normal` means that SQLite flushes when it copies the WAL into
/// the database and when it begins the WAL anew. The flush of each commit is `flusher`'s, and nothing is
/// acknowledged before it: the next commit is made meanwhile.
///
/// The WAL is copied into the database every 64 MiB (16384 pages) instead of every 4: a copy writes
/// each page once, however often it was written since the last, and measured this is half as much
/// again for 1000 nodes. On a thread of its own the copying was slower, since its fsyncs stand in
/// the way of the commits'. A WAL that grew beyond that behind a long read is cut back when it
/// starts over. The page cache holds the hot ends of the trees: 64 MiB.
const WRITER: &str = "
    pragma synchronous = normal;
    pragma wal_autocheckpoint = 16384;
    pragma journal_size_limit = 67108864;
    pragma cache_size = -65536;
";

/// For readers. They cannot write, whatever they are given. Reading through a memory map saves a
/// system call and a copy per page; the first 1 GiB of the file is mapped, and what the system does
/// not need it takes back. Their own caches stay small (4 MiB each).
const READER: &str = "
    pragma query_only = on;
    pragma mmap_size = 1073741824;
    pragma cache_size = -4096;
";

#[expect(clippy::disallowed_methods, reason = "who stands in the way tells nobody when he has gone")]
pub(super) fn open_writer(file: &Path) -> Result<Connection, OpenError> {
    let connection = open(file, WRITER)?;
    let begun = Instant::now();
    let turned = connection.batch_when_free(WAL, || {
        std::thread::sleep(WAL_PAUSE);
        begun.elapsed() < WAL_WITHIN
    });
    turned.map_err(|why| unreachable(file, &why))?;
    Ok(connection)
}

pub(super) fn open_reader(file: &Path) -> Result<Connection, OpenError> {
    open(file, READER)
}

fn open(file: &Path, pragmas: &'static str) -> Result<Connection, OpenError> {
    let connection = Connection::new(raw(file).map_err(|why| unreachable(file, &why))?);
    let set_up = connection.batch(COMMON).and_then(|()| connection.batch(pragmas));
    set_up.map_err(|why| unreachable(file, &why))?;
    Ok(connection)
}

fn raw(file: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let raw = rusqlite::Connection::open(file)?;
    raw.set_db_config(PLANS_ONCE, true)?;
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::StoreError;
    use rusqlite::StatementStatus;

    #[test]
    fn a_statement_is_planned_once_whatever_its_values() {
        let folder = tempfile::tempdir().unwrap();
        let raw = raw(&folder.path().join("hub.sqlite")).unwrap();
        raw.execute_batch("create table t (a, b); create index some on t (b) where a = 1").unwrap();
        let mut statement = raw.prepare("select b from t where a = ?1 and b = ?2").unwrap();
        for a in 1..4 {
            assert!(!statement.exists((a, 5)).unwrap());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    #[test]
    fn who_stands_in_the_way_of_the_wal_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hub.sqlite");
        let mut other = Some(open(&file, "create table t (a)").unwrap());
        other.as_ref().unwrap().batch("begin; select * from t").unwrap();
        let late = open(&file, WRITER).unwrap();
        // Here SQLite would wait by itself; where both want the same, it does not.
        late.batch("pragma busy_timeout = 0").unwrap();
        assert!(matches!(late.batch_when_free(WAL, || false), Err(StoreError::Unavailable { .. })));
        late.batch_when_free(WAL, || other.take().is_some()).unwrap();
        assert!(other.is_none(), "it was refused once, and tried again");
    }
}
