//! Connections for a whole database: one that reads it as of one moment, one that fills an empty one.

use std::path::Path;

use rusqlite::OpenFlags;

use super::connection::Connection;
use super::faults::unreachable;
use super::pragmas::COMMON;
use crate::errors::OpenError;

/// For a file that nobody else knows yet and that is thrown away if it does not come to its end: what is written
/// needs no journal, and is flushed once, when it is whole.
const FILLING: &str = "
    pragma journal_mode = off;
    pragma synchronous = off;
    pragma cache_size = -65536;
";

/// A file that is there, as of this moment: hubs may go on writing.
pub(crate) fn snapshot(file: &Path) -> Result<Connection, OpenError> {
    let connection = open(file, OpenFlags::SQLITE_OPEN_READ_WRITE, "pragma query_only = on;")?;
    // The moment is that of the first read.
    let begun = connection.batch("begin; select count(*) from sqlite_master;");
    begun.map_err(|why| unreachable(file, &why))?;
    Ok(connection)
}

/// A file that is not there yet.
pub(crate) fn empty(file: &Path) -> Result<Connection, OpenError> {
    if file.exists() {
        let found = "the file is there already".to_owned();
        return Err(OpenError::NotEmpty { what: file.display().to_string(), found });
    }
    open(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE, FILLING)
}

fn open(file: &Path, flags: OpenFlags, pragmas: &str) -> Result<Connection, OpenError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let raw = rusqlite::Connection::open_with_flags(file, flags).map_err(|why| unreachable(file, &why))?;
    let connection = Connection::new(raw);
    let set_up = connection.batch(COMMON).and_then(|()| connection.batch(pragmas));
    set_up.map_err(|why| unreachable(file, &why))?;
    Ok(connection)
}
