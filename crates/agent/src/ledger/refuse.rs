//! A whole delivery was refused: that is counted by its reason, on disk, until the hub knows of it.

use rusqlite::{Connection, Row, params};
use sortie_rules::time::Millis;
use sortie_rules::verification;
use sortie_wire::refusals::RefusedDeliveries;

/// A delivery that was refused, of which nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Refused {
    /// Why, in a word.
    pub(crate) code: verification::Refused,
    /// Why, in a sentence.
    pub(crate) message: String,
    /// Its number, if it could be believed that far.
    pub(crate) number: Option<u64>,
}

/// Counts it. Answers how many there were for this reason.
pub(super) fn refuse(connection: &Connection, refused: &Refused, now: Millis) -> rusqlite::Result<u64> {
    let number = refused.number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    connection
        .prepare_cached(
            "insert into refused (code, times, number, message, first_at, last_at) values (?1, 1, ?2, ?3, ?4, ?4)
             on conflict (code) do update set times = times + 1, number = excluded.number,
                message = excluded.message, last_at = excluded.last_at
             returning times",
        )?
        .query_row(params![refused.code.as_str(), number, refused.message, now.0], |row| {
            row.get(0).map(i64::unsigned_abs)
        })
}

/// All refusals by reason, if there are any that the hub has not been told of.
pub(super) fn untold(connection: &Connection) -> rusqlite::Result<Vec<RefusedDeliveries>> {
    let mut all = connection.prepare_cached(
        "select code, times, number, message, first_at, last_at from refused
         where exists (select 1 from refused where told < times) order by code",
    )?;
    all.query_map([], read)?.collect()
}

/// The hub has been told of these.
pub(super) fn told(connection: &Connection, told: &[(String, u64)]) -> rusqlite::Result<()> {
    let mut note = connection.prepare_cached("update refused set told = max(told, ?2) where code = ?1")?;
    for (code, times) in told {
        note.execute(params![code, i64::try_from(*times).unwrap_or(i64::MAX)])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<RefusedDeliveries> {
    Ok(RefusedDeliveries {
        code: row.get(0)?,
        times: row.get(1).map(i64::unsigned_abs)?,
        number: row.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs),
        message: row.get(3)?,
        first_at: Millis(row.get(4)?),
        last_at: Millis(row.get(5)?),
    })
}
