//! `event_followers`: how far the hub itself has followed its events, for each of its rooms that does.

use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::tx::Tx;

/// The number up to which this follower did what follows from events; none if it never began.
pub async fn place(tx: &mut Tx, name: &str) -> Result<Option<u64>, StoreError> {
    const SQL: &str = "select number from event_followers where name = $1";
    let row = tx.query_one_or_none(SQL, &[name.into()]).await?;
    row.map(|row| row.columns("event_followers").number("number")).transpose()
}

/// Begins after this number, unless it was begun before.
pub async fn begin(tx: &mut Tx, name: &str, number: u64, now: Millis) -> Result<(), StoreError> {
    begin_first(tx, name, number, now).await.map(drop)
}

/// The same; says whether it begins with this. Whoever begins at the same moment waits for the end of this transaction.
pub async fn begin_first(tx: &mut Tx, name: &str, number: u64, now: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "insert into event_followers (name, number, moved_at) values ($1, $2, $3)
        on conflict (name) do nothing";
    Ok(tx.execute(SQL, &[name.into(), number.into(), now.into()]).await? == 1)
}

/// Moves on from one number to a higher one. False if somebody else has moved on meanwhile: of two who follow at once,
/// one gives way.
pub async fn move_on(tx: &mut Tx, name: &str, from: u64, to: u64, now: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update event_followers set number = $3, moved_at = $4
        where name = $1 and number = $2 and number < $3";
    Ok(tx.execute(SQL, &[name.into(), from.into(), to.into(), now.into()]).await? == 1)
}
