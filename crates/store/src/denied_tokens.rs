//! `denied_tokens`: tokens of a provider that are worth nothing before their time is over.

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// One denied token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedTokenRow {
    /// Whose tokens it is among: an org denies its own.
    pub org: OrgId,
    /// The token's id at the provider.
    pub jti: String,
    /// Who denied it.
    pub denied_by: String,
    /// When.
    pub denied_at: Millis,
    /// When the token ends by itself, after which the row is not needed.
    pub expires_at: Millis,
}

/// Denies a token. One that is denied already is denied for longer, if that is asked; `false` if nothing
/// changes.
pub async fn deny(tx: &mut Tx, row: &DeniedTokenRow) -> Result<bool, StoreError> {
    const SQL: &str = "insert into denied_tokens (org, jti, denied_by, denied_at, expires_at)
        values ($1, $2, $3, $4, $5)
        on conflict (org, jti) do update set expires_at = excluded.expires_at
        where denied_tokens.expires_at < excluded.expires_at";
    let values =
        [row.org.into(), (&row.jti).into(), (&row.denied_by).into(), row.denied_at.into(), row.expires_at.into()];
    Ok(tx.execute(SQL, &values).await? > 0)
}

/// The denied token of this id.
pub async fn get(tx: &mut Tx, org: OrgId, jti: &str) -> Result<Option<DeniedTokenRow>, StoreError> {
    const SQL: &str = "select org, jti, denied_by, denied_at, expires_at from denied_tokens
        where org = $1 and jti = $2";
    tx.query_one_or_none(SQL, &[org.into(), jti.into()]).await?.map(read).transpose()
}

/// How many tokens an org denies.
pub async fn count(tx: &mut Tx, org: OrgId) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from denied_tokens where org = $1";
    let row = tx.query_one_or_none(SQL, &[org.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("denied_tokens").number("count"))
}

/// Up to `limit` denied tokens of an org in the order of their ids, after `after`.
pub async fn list(tx: &mut Tx, org: OrgId, after: Option<&str>, limit: u32) -> Result<Vec<DeniedTokenRow>, StoreError> {
    const SQL: &str = "select org, jti, denied_by, denied_at, expires_at from denied_tokens
        where org = $1 and jti > $2 order by jti limit $3";
    let rows = tx.query(SQL, &[org.into(), after.unwrap_or_default().into(), limit.into()]).await?;
    rows.into_iter().map(read).collect()
}

/// Every denied token of every org: for a hub that keeps them in memory.
pub async fn all(tx: &mut Tx) -> Result<Vec<DeniedTokenRow>, StoreError> {
    const SQL: &str = "select org, jti, denied_by, denied_at, expires_at from denied_tokens order by org, jti";
    tx.query(SQL, &[]).await?.into_iter().map(read).collect()
}

/// Forgets tokens that have ended by themselves. Returns how many.
pub async fn forget_expired(tx: &mut Tx, now: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "delete from denied_tokens where expires_at <= $1";
    tx.execute(SQL, &[now.into()]).await
}

fn read(row: Row) -> Result<DeniedTokenRow, StoreError> {
    let mut row = row.columns("denied_tokens");
    Ok(DeniedTokenRow {
        org: row.id("org")?,
        jti: row.text("jti")?,
        denied_by: row.text("denied_by")?,
        denied_at: row.millis("denied_at")?,
        expires_at: row.millis("expires_at")?,
    })
}
