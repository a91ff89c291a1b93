//! A delivery comes: whether its number is in order, its new runs and its number are looked at and written
//! in one transaction, so that the next wait may acknowledge it.

use rusqlite::{Connection, OptionalExtension as _, params};
use sortie_rules::ledger::{Known, Receive, is_new, is_other_work, receive};
use sortie_rules::time::Millis;
use sortie_rules::verification;
use sortie_wire::deliveries::HandedTask;

use super::nonce::claim;
use super::refuse::{Refused, refuse};
use super::row::{StageColumn, TaskColumn};
use crate::operations::Borne;

/// A delivery that was verified.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Its number.
    pub(crate) number: u64,
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
    /// The nonce of its operation, if it is one that holds as far as is known when it comes.
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

/// What became of a delivery.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It was taken: the verdict on each of its tasks, in order.
    Whole(Vec<Verdict>),
    /// Nothing of it was taken, and that is written down: so often was it for this reason.
    Refused(Refused, u64),
}

/// Takes a delivery, or refuses it.
pub(super) fn accept(connection: &Connection, incoming: Incoming, now: Millis) -> rusqlite::Result<Taken> {
    let number = i64::try_from(incoming.number).unwrap_or(i64::MAX);
    let is_new = is_new(incoming.number, acknowledged(connection)?);
    if !is_new && is_other_work(is_new, means(connection, &incoming.tasks)?.into_iter()) {
        let refused = number_taken(incoming.number);
        let times = refuse(connection, &refused, now)?;
        return Ok(Taken::Refused(refused, times));
    }
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
            Receive::Accept => {
                insert(connection, &offered, number, position)?;
                if let Some(borne) = &offered.borne {
                    claim(connection, borne)?;
                }
                Verdict::Accepted(offered)
            }
            Receive::Outdated => Verdict::Ignored,
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
    Ok(Taken::Whole(verdicts))
}

fn number_taken(number: u64) -> Refused {
    let message = "a delivery of this number, or a later one, was taken before, and this one carries other work";
    Refused { code: verification::Refused::NumberTaken, message: message.to_owned(), number: Some(number) }
}

fn acknowledged(connection: &Connection) -> rusqlite::Result<u64> {
    let mut select = connection.prepare_cached("select acknowledged from line")?;
    select.query_row([], |row| row.get(0).map(i64::unsigned_abs))
}

/// What each task would mean, while nothing is changed.
fn means(connection: &Connection, tasks: &[Offered]) -> rusqlite::Result<Vec<Receive>> {
    let means = |offered: &Offered| Ok(receive(newest(connection, &offered.handed)?, offered.handed.run));
    tasks.iter().map(means).collect()
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
