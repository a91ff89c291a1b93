//! `assertions`: which assertions of nodes were used, until they end by themselves. For hubs that share the
//! database; a hub alone on its own remembers in memory.

use sortie_rules::limits::HUB_CLOCKS_APART_MAX;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::tx::Tx;

/// Uses an assertion that ends by itself at `until`. `false` if it was used before.
pub async fn use_once(tx: &mut Tx, id: &str, until: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "insert into assertions (id, expires_at) values ($1, $2) on conflict (id) do nothing";
    Ok(tx.execute(SQL, &[id.into(), until.into()]).await? > 0)
}

/// Forgets those that ended by themselves so long ago that no hub's clock can hold them for good. Returns how many.
pub async fn forget_expired(tx: &mut Tx, now: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "delete from assertions where expires_at <= $1";
    tx.execute(SQL, &[(now - HUB_CLOCKS_APART_MAX).into()]).await
}
