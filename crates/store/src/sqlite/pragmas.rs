//! How a connection is set up, and why.

use std::path::Path;

use super::connection::Connection;
use crate::errors::{OpenError, StoreError};

/// For every connection. Another process (a backup, a person with a shell) may hold a lock for a
/// moment; nothing in this one does. `like` tells capitals apart, as PostgreSQL's does.
pub(super) const COMMON: &str = "
    pragma busy_timeout = 10000;
    pragma foreign_keys = on;
    pragma temp_store = memory;
    pragma trusted_schema = off;
    pragma case_sensitive_like = on;
";

/// For the writer. WAL with `synchronous = normal` means that SQLite flushes when it copies the WAL into
/// the database and when it begins the WAL anew. The flush of each commit is `flusher`'s, and nothing is
/// acknowledged before it: the next commit is made meanwhile.
///
/// The WAL is copied into the database every 64 MiB (16384 pages) instead of every 4: a copy writes
/// each page once, however often it was written since the last, and measured this is half as much
/// again for 1000 nodes. On a thread of its own the copying was slower, since its fsyncs stand in
/// the way of the commits'. A WAL that grew beyond that behind a long read is cut back when it
/// starts over. The page cache holds the hot ends of the trees: 64 MiB.
const WRITER: &str = "
    pragma journal_mode = wal;
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

pub(super) fn open_writer(file: &Path) -> Result<Connection, OpenError> {
    open(file, WRITER)
}

pub(super) fn open_reader(file: &Path) -> Result<Connection, OpenError> {
    open(file, READER)
}

fn open(file: &Path, pragmas: &'static str) -> Result<Connection, OpenError> {
    let unreachable = |why: String| OpenError::Unreachable { what: file.display().to_string(), why };
    let raw = rusqlite::Connection::open(file).map_err(|why| unreachable(why.to_string()))?;
    let connection = Connection::new(raw);
    let set_up = || -> Result<(), StoreError> {
        connection.batch(COMMON)?;
        connection.batch(pragmas)
    };
    set_up().map_err(|why| unreachable(why.to_string()))?;
    Ok(connection)
}
