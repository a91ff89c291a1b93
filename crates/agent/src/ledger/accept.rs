//! A delivery comes: its new runs and its number are written in one transaction, so that the next
//! wait may acknowledge it.

use rusqlite::{Connection, OptionalExtension as _, params};
use sortie_rules::ledger::{Known, Receive, receive};
use sortie_rules::time::Millis;
use sortie_wire::deliveries::HandedTask;

use super::nonce::claim;
use super::row::{StageColumn, TaskColumn};
use crate::operations::Borne;

/// A delivery that was verified.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Its number.
    pub(crate) number: u64,
    /// Whether its number is above every one that was accepted. Only then may it bring a run that
    /// is not known: an old delivery that someone plays again brings nothing.
    pub(crate) is_new: bool,
    /// The hub's time when it signed it.
    pub(crate) issued_at: Millis,
    /// The newest version of the operators, as it tells.
    pub(crate) operators_version: u64,
    /// Its tasks, in order.
    pub(crate) tasks: Vec<Offered>,
}

/// One task of a delivery.
#[derive(Debug)]
pub(crate) struct Offered {
    /// The task.
    pub(crate) handed: HandedTask,
    /// The nonce of its operation, if it is one.
    pub(crate) borne: Option<Borne>,
    /// It will begin at once and may not be repeated: its start goes to disk with it.
    pub(crate) starts: bool,
}

/// What became of one task of a delivery.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// On disk, to be run.
    Accepted(Offered),
    /// The run is held already; this is its newer attempt.
    Held(HandedTask),
    /// The run has ended: its result is to be sent again.
    AnswerAgain,
    /// An old message: nothing to do.
    Ignored,
}

/// Takes a delivery. Answers for each task, in order.
pub(super) fn accept(connection: &Connection, incoming: Incoming, now: Millis) -> rusqlite::Result<Vec<Verdict>> {
    let number = i64::try_from(incoming.number).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "update line set acknowledged = max(acknowledged, ?1), hub_time = max(hub_time, ?2),
             operators_version = max(operators_version, ?3)",
        )?
        .execute(params![
            number,
            incoming.issued_at.0,
            i64::try_from(incoming.operators_version).unwrap_or(i64::MAX)
        ])?;
    let mut verdicts = Vec::with_capacity(incoming.tasks.len());
    for (position, offered) in incoming.tasks.into_iter().enumerate() {
        let known = newest(connection, &offered.handed)?;
        verdicts.push(match receive(known, offered.handed.run) {
            Receive::Accept if incoming.is_new => {
                insert(connection, &offered, number, position)?;
                if let Some(borne) = &offered.borne {
                    claim(connection, borne)?;
                }
                Verdict::Accepted(offered)
            }
            Receive::Accept | Receive::Outdated => Verdict::Ignored,
            Receive::AlreadyHeld => {
                take_attempt(connection, &offered.handed)?;
                Verdict::Held(offered.handed)
            }
            Receive::AnswerAgain => {
                take_attempt(connection, &offered.handed)?;
                super::report::unreport(connection, &offered.handed, now)?;
                Verdict::AnswerAgain
            }
        });
    }
    Ok(verdicts)
}

fn newest(connection: &Connection, handed: &HandedTask) -> rusqlite::Result<Option<Known>> {
    connection
        .prepare_cached("select run, stage from runs where task = ?1 order by run desc limit 1")?
        .query_row([TaskColumn(handed.id)], |row| {
            Ok(Known { run: row.get(0)?, stage: row.get::<_, StageColumn>(1)?.0 })
        })
        .optional()
}

fn insert(connection: &Connection, offered: &Offered, number: i64, position: usize) -> rusqlite::Result<()> {
    let handed = &offered.handed;
    let json = serde_json::to_vec(handed).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let stage = if offered.starts { "started" } else { "accepted" };
    connection
        .prepare_cached(
            "insert into runs (task, run, attempt, stage, idempotent, delivery, position, handed)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            TaskColumn(handed.id),
            handed.run,
            handed.attempt,
            stage,
            handed.idempotent,
            number,
            i64::try_from(position).unwrap_or(i64::MAX),
            json
        ])?;
    Ok(())
}

fn take_attempt(connection: &Connection, handed: &HandedTask) -> rusqlite::Result<()> {
    connection
        .prepare_cached("update runs set attempt = max(attempt, ?3) where task = ?1 and run = ?2")?
        .execute(params![TaskColumn(handed.id), handed.run, handed.attempt])?;
    Ok(())
}
