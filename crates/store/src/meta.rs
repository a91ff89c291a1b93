//! `meta`: single words that the hub and the schema remember about themselves.

use crate::errors::StoreError;
use crate::tx::Tx;

/// Also written by migrations, which have no `Tx`.
pub(crate) const SET: &str =
    "insert into meta (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value";

/// What is remembered under `key`.
pub async fn get(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    const SQL: &str = "select value from meta where key = $1";
    let row = tx.query_one_or_none(SQL, &[key.into()]).await?;
    row.map(|row| row.columns("meta").text("value")).transpose()
}

/// Remembers `value` under `key`, in place of what stood there.
pub async fn set(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(SET, &[key.into(), value.into()]).await.map(drop)
}

/// Remembers `value` under `key` if nothing stands there. Returns what stands there now.
pub async fn set_first(tx: &mut Tx, key: &str, value: &str) -> Result<String, StoreError> {
    const SQL: &str = "insert into meta (key, value) values ($1, $2) on conflict (key) do nothing";
    tx.execute(SQL, &[key.into(), value.into()]).await?;
    Ok(get(tx, key).await?.unwrap_or_else(|| value.to_owned()))
}
