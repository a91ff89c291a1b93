//! The hub has acknowledged results, or wants them again.

use rusqlite::{Connection, params};
use sortie_rules::tasks::Code;
use sortie_rules::time::Millis;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::results::{OutcomeWord, RunResult};

use super::row::{RunKey, TaskColumn};

/// The code with which a run is answered that ended so long ago that its result is gone.
const RESULT_FORGOTTEN: &str = "result_forgotten";

/// A receipt has come.
pub(super) fn reported(connection: &Connection, run: RunKey) -> rusqlite::Result<()> {
    connection
        .prepare_cached("update runs set stage = 'reported' where task = ?1 and run = ?2 and stage = 'done'")?
        .execute(params![TaskColumn(run.task), run.run])?;
    Ok(())
}

/// The hub asks for this run again: its result is to be sent once more, or, if its body is gone by
/// now, that it ended.
pub(super) fn unreport(connection: &Connection, handed: &HandedTask, now: Millis) -> rusqlite::Result<()> {
    let forgotten = RunResult {
        task: handed.id,
        run: handed.run,
        attempt: handed.attempt,
        outcome: OutcomeWord::Failed,
        result: None,
        code: Some(Code::new(RESULT_FORGOTTEN)),
        message: Some("this run ended long ago and was reported then; its result is not kept any more".to_owned()),
        retry: false,
        log_bytes: 0,
        started_at: now,
        finished_at: now,
    };
    let json = serde_json::to_vec(&forgotten).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection
        .prepare_cached(
            "update runs set stage = 'done', result = coalesce(result, ?3)
             where task = ?1 and run = ?2 and stage = 'reported'",
        )?
        .execute(params![TaskColumn(handed.id), handed.run, json])?;
    Ok(())
}

/// The hub was restored from a backup: every result that is still here is to be sent again.
pub(super) fn want_all(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("update runs set stage = 'done' where stage = 'reported' and result is not null", [])?;
    Ok(())
}
