//! Looking into a hub's SQLite file from outside.

use std::path::Path;

use rusqlite::types::Value;

/// Runs a statement: the first column of each row that it gives.
pub(crate) fn sqlite(file: &Path, statement: &str) -> Vec<String> {
    let refused = |error: rusqlite::Error| -> ! { panic!("{statement}: {error}") };
    let database = rusqlite::Connection::open(file).unwrap_or_else(|error| refused(error));
    let mut prepared = database.prepare(statement).unwrap_or_else(|error| refused(error));
    if prepared.column_count() == 0 {
        prepared.execute([]).unwrap_or_else(|error| refused(error));
        return Vec::new();
    }
    let rows = prepared.query_map([], |row| row.get(0)).unwrap_or_else(|error| refused(error));
    rows.map(|value| match value.unwrap_or_else(|error| refused(error)) {
        Value::Text(text) => text,
        Value::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    })
    .collect()
}
