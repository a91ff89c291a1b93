//! Which results wait for a receipt.

use std::sync::Arc;

use rusqlite::{Connection, Row};
use sortie_rules::time::Millis;
use sortie_wire::results::RunResult;

use super::finish::Ended;
use super::row::{RunKey, TaskColumn};

/// Results that wait for a receipt, oldest first, each naming the newest attempt: at most `rows`,
/// and after the first no more than fit into `bytes`.
pub(super) fn unreported(connection: &Connection, rows: usize, bytes: usize) -> rusqlite::Result<Vec<Ended>> {
    let mut found = Vec::new();
    let mut total = 0;
    let mut statement = connection.prepare_cached(
        "select task, run, attempt, result, ended_at from runs
         where stage <> 'reported' and stage = 'done' order by delivery, position",
    )?;
    let mut cursor = statement.query([])?;
    while let Some(row) = cursor.next()? {
        let ended = read(row)?;
        total += ended.result.len();
        if !found.is_empty() && (total > bytes || found.len() >= rows) {
            break;
        }
        found.push(ended);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Ended> {
    let (task, run, attempt): (TaskColumn, u32, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let mut json: Vec<u8> = row.get(3)?;
    // The attempt may have risen since the result was written down.
    if let Ok(mut result) = serde_json::from_slice::<RunResult>(&json)
        && result.attempt != attempt
    {
        result.attempt = attempt;
        json = serde_json::to_vec(&result).unwrap_or(json);
    }
    let run = RunKey { task: task.0, run };
    Ok(Ended { run, result: Arc::new(json), at: Millis(row.get(4)?) })
}
