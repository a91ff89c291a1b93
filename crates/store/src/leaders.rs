//! `leaders`: which of several hubs on one database does a duty that needs doing once. Its row has no time in it, so
//! that the clocks of hubs need not agree: whoever holds the duty counts its beat up, and others watch it. Beside it
//! there are locks that hubs hold on the connections of their bells (`Bells`), and that end with them.

use crate::dialect;
use crate::errors::StoreError;
use crate::tx::Tx;

/// Who holds a duty, and its beat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Which hub: a name of this start of it.
    pub name: String,
    /// Rises while it lives.
    pub beat: u64,
}

/// Who holds it, if anybody ever did.
pub async fn holder(tx: &mut Tx, duty: &str) -> Result<Option<Holder>, StoreError> {
    const SQL: &str = "select holder, beat from leaders where duty = $1";
    let row = tx.query_one_or_none(SQL, &[duty.into()]).await?;
    row.map(|row| {
        let mut row = row.columns("leaders");
        Ok(Holder { name: row.text("holder")?, beat: row.number("beat")? })
    })
    .transpose()
}

/// Takes or keeps a duty, if it stands with its holder as it was seen. `false` if somebody was quicker.
pub async fn take(tx: &mut Tx, duty: &str, seen: Option<&Holder>, own: &str) -> Result<bool, StoreError> {
    const FIRST: &str = "insert into leaders (duty, holder, beat) values ($1, $2, 1) on conflict (duty) do nothing";
    const NEXT: &str = "update leaders set holder = $2, beat = beat + 1
        where duty = $1 and holder = $3 and beat = $4";
    let changed = match seen {
        None => tx.execute(FIRST, &[duty.into(), own.into()]).await?,
        Some(seen) => {
            let values = [duty.into(), own.into(), seen.name.as_str().into(), seen.beat.into()];
            tx.execute(NEXT, &values).await?
        }
    };
    Ok(changed > 0)
}

/// Whether nobody holds this lock. On SQLite, where a hub is alone, there are no locks to be held.
pub async fn lock_is_free(tx: &mut Tx, lock: i64) -> Result<bool, StoreError> {
    if !tx.is_postgres() {
        return Ok(false);
    }
    let row = tx.query_one_or_none(dialect::LOCK_IS_FREE, &[lock.into()]).await?;
    row.map_or(Ok(false), |row| Ok(row.columns("locks").int("is_free")? == 1))
}

/// Lets a duty go, so that another hub can take it at once. Nothing happens if it is somebody else's.
pub async fn let_go(tx: &mut Tx, duty: &str, own: &str) -> Result<(), StoreError> {
    const SQL: &str = "delete from leaders where duty = $1 and holder = $2";
    tx.execute(SQL, &[duty.into(), own.into()]).await.map(drop)
}
