//! `recipients`: who may be told of alarms.

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// Who may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientRow {
    /// Whose it is.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// Who it is and what it wants, as JSON.
    pub recipient: String,
    /// With what calls of its webhook are signed, sealed.
    pub secret: Option<Vec<u8>>,
    /// Counts the secrets that there were.
    pub secret_version: u64,
    /// Since when its webhook says that it wants nothing any more.
    pub webhook_gone_at: Option<Millis>,
    /// Who said so.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
}

macro_rules! select_recipients {
    ($end:literal) => {
        concat!(
            "select org, name, recipient, secret, secret_version, webhook_gone_at, changed_by, changed_at
                from recipients ",
            $end
        )
    };
}

/// The recipient of this name.
pub async fn get(tx: &mut Tx, org: OrgId, name: &str) -> Result<Option<RecipientRow>, StoreError> {
    const SQL: &str = select_recipients!("where org = $1 and name = $2");
    tx.query_one_or_none(SQL, &[org.into(), name.into()]).await?.map(read).transpose()
}

/// Up to `limit` recipients of an org, by name after `after`.
pub async fn list(tx: &mut Tx, org: OrgId, after: Option<&str>, limit: u32) -> Result<Vec<RecipientRow>, StoreError> {
    const SQL: &str = select_recipients!("where org = $1 and name > $2 order by name limit $3");
    let values = [org.into(), after.unwrap_or("").into(), limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

/// How many recipients an org has.
pub async fn count(tx: &mut Tx, org: OrgId) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from recipients where org = $1";
    let row = tx.query_one_or_none(SQL, &[org.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("recipients").number("count"))
}

/// Says this, in place of what was said.
pub async fn put(tx: &mut Tx, row: &RecipientRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into recipients
            (org, name, recipient, secret, secret_version, webhook_gone_at, changed_by, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (org, name) do update set recipient = excluded.recipient, secret = excluded.secret,
            secret_version = excluded.secret_version, webhook_gone_at = excluded.webhook_gone_at,
            changed_by = excluded.changed_by, changed_at = excluded.changed_at";
    let values = [
        row.org.into(),
        (&row.name).into(),
        (&row.recipient).into(),
        row.secret.as_deref().into(),
        row.secret_version.into(),
        row.webhook_gone_at.into(),
        (&row.changed_by).into(),
        row.changed_at.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// Writes down that its webhook wants nothing any more. `false` if that is known, or there is no such recipient.
pub async fn webhook_is_gone(tx: &mut Tx, org: OrgId, name: &str, now: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update recipients set webhook_gone_at = $3
        where org = $1 and name = $2 and webhook_gone_at is null";
    Ok(tx.execute(SQL, &[org.into(), name.into(), now.into()]).await? > 0)
}

/// Removes a recipient. `false` if there is none.
pub async fn delete(tx: &mut Tx, org: OrgId, name: &str) -> Result<bool, StoreError> {
    const SQL: &str = "delete from recipients where org = $1 and name = $2";
    Ok(tx.execute(SQL, &[org.into(), name.into()]).await? > 0)
}

fn read(row: Row) -> Result<RecipientRow, StoreError> {
    let mut row = row.columns("recipients");
    Ok(RecipientRow {
        org: row.id("org")?,
        name: row.text("name")?,
        recipient: row.text("recipient")?,
        secret: row.bytes_or_none("secret")?,
        secret_version: row.number("secret_version")?,
        webhook_gone_at: row.millis_or_none("webhook_gone_at")?,
        changed_by: row.text("changed_by")?,
        changed_at: row.millis("changed_at")?,
    })
}
