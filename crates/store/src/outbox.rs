//! `outbox_cursors`: how far the hub's events have come on their way to others, by relay.

use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::tx::Tx;

/// The number up to which the other side has all events; none if nothing was ever relayed.
pub async fn cursor(tx: &mut Tx, relay: &str) -> Result<Option<u64>, StoreError> {
    const SQL: &str = "select number from outbox_cursors where relay = $1";
    let row = tx.query_one_or_none(SQL, &[relay.into()]).await?;
    row.map(|row| row.columns("outbox_cursors").number("number")).transpose()
}

/// Begins after this number, unless it was begun before.
pub async fn begin(tx: &mut Tx, relay: &str, number: u64, now: Millis) -> Result<(), StoreError> {
    const SQL: &str = "insert into outbox_cursors (relay, number, moved_at) values ($1, $2, $3)
        on conflict (relay) do nothing";
    tx.execute(SQL, &[relay.into(), number.into(), now.into()]).await.map(drop)
}

/// Moves on from one number to a higher one. False if somebody else has moved on meanwhile: of two who
/// relay at once, one gives way.
pub async fn advance(tx: &mut Tx, relay: &str, from: u64, to: u64, now: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update outbox_cursors set number = $3, moved_at = $4
        where relay = $1 and number = $2 and number < $3";
    Ok(tx.execute(SQL, &[relay.into(), from.into(), to.into(), now.into()]).await? == 1)
}
