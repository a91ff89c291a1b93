//! `hub_keys` and `hub_key_changes`: the keys that hubs on one database share. What stands here is sealed; who
//! changes it says which change it follows.

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// All that there is, by name, and the number of the last change; 0 if there was none.
pub async fn all(tx: &mut Tx) -> Result<(u64, Vec<(String, Vec<u8>)>), StoreError> {
    const NEWEST: &str = "select coalesce(max(number), 0) as newest from hub_key_changes";
    const ALL: &str = "select name, sealed from hub_keys order by name";
    let row = tx.query_one_or_none(NEWEST, &[]).await?;
    let newest = row.map_or(Ok(0), |row| row.columns("hub_key_changes").number("newest"))?;
    let read = |row: Row| {
        let mut row = row.columns("hub_keys");
        Ok((row.text("name")?, row.bytes("sealed")?))
    };
    let rows = tx.query(ALL, &[]).await?.into_iter().map(read).collect::<Result<_, StoreError>>()?;
    Ok((newest, rows))
}

/// Puts some in and takes some out, if the last change was the one with number `after`. `false`, and nothing is
/// changed, if there was another one since.
pub async fn change(tx: &mut Tx, after: u64, put: &[(String, Vec<u8>)], remove: &[String]) -> Result<bool, StoreError> {
    const NEXT: &str = "insert into hub_key_changes (number)
        select cast($1 as bigint) where (select coalesce(max(number), 0) from hub_key_changes) = $2
        on conflict (number) do nothing";
    const PUT: &str = "insert into hub_keys (name, sealed) values ($1, $2)
        on conflict (name) do update set sealed = excluded.sealed";
    const REMOVE: &str = "delete from hub_keys where name = $1";
    if tx.execute(NEXT, &[(after + 1).into(), after.into()]).await? == 0 {
        return Ok(false);
    }
    for (name, sealed) in put {
        tx.execute(PUT, &[name.as_str().into(), sealed.as_slice().into()]).await?;
    }
    for name in remove {
        tx.execute(REMOVE, &[name.as_str().into()]).await?;
    }
    Ok(true)
}
