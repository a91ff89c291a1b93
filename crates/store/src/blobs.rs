//! `blobs`: what lies beside the database, in a folder or an S3 store. A row is there before its bytes and goes after
//! them, so that whatever a crash leaves there is known here and found.

use sortie_rules::ids::{BlobId, OrgId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// A blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRow {
    /// Which.
    pub id: BlobId,
    /// Whose.
    pub org: OrgId,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// How many there are.
    pub bytes: u64,
    /// Since when they are in their place.
    pub kept_at: Option<Millis>,
}

/// Writes down that these bytes are about to be kept. If the org has them already, or somebody else has begun, returns
/// that one's row, else this one.
pub async fn begin(tx: &mut Tx, row: &BlobRow, now: Millis) -> Result<BlobRow, StoreError> {
    const INSERT: &str = "insert into blobs (id, org, sha256, bytes, begun_at) values ($1, $2, $3, $4, $5)
        on conflict (org, sha256) where leaving_at is null do update set begun_at = excluded.begun_at";
    const FIND: &str = "select id, org, sha256, bytes, kept_at from blobs
        where org = $1 and sha256 = $2 and leaving_at is null";
    let sha256 = row.sha256.as_str();
    tx.execute(INSERT, &[row.id.into(), row.org.into(), sha256.into(), row.bytes.into(), now.into()]).await?;
    let found = tx.query_one_or_none(FIND, &[row.org.into(), sha256.into()]).await?;
    found.map_or_else(|| Ok(row.clone()), read)
}

/// Writes down that a blob is in its place, for whoever refers to it in the same transaction. `false` if it is leaving:
/// then it must not be referred to.
pub async fn set_kept(tx: &mut Tx, blob: BlobId, now: Millis) -> Result<bool, StoreError> {
    // Beginning anew keeps those away who look whether somebody refers to it.
    const SQL: &str = "update blobs set kept_at = coalesce(kept_at, $2), begun_at = $2
        where id = $1 and leaving_at is null";
    Ok(tx.execute(SQL, &[blob.into(), now.into()]).await? > 0)
}

/// A blob, if there is one.
pub async fn get(tx: &mut Tx, blob: BlobId) -> Result<Option<BlobRow>, StoreError> {
    const SQL: &str = "select id, org, sha256, bytes, kept_at from blobs where id = $1";
    tx.query_one_or_none(SQL, &[blob.into()]).await?.map(read).transpose()
}

/// Up to `limit` blobs after this one that are in their place, in the order of their ids.
pub async fn kept_after(tx: &mut Tx, after: BlobId, limit: u32) -> Result<Vec<BlobRow>, StoreError> {
    // Not `leaving_at is null`: PostgreSQL would go along the index of that while it knows little of the table.
    const SQL: &str = "select id, org, sha256, bytes, kept_at from blobs
        where id > $1 and kept_at is not null and coalesce(leaving_at, 0) = 0 order by id limit $2";
    tx.query(SQL, &[after.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Whether there is any.
pub async fn any(tx: &mut Tx) -> Result<bool, StoreError> {
    const SQL: &str = "select id from blobs where id > $1 order by id limit 1";
    Ok(tx.query_one_or_none(SQL, &[BlobId::from_uuid(uuid::Uuid::nil()).into()]).await?.is_some())
}

/// Looks at up to `limit` blobs from `after` on, and lets those leave that nobody refers to and nobody has begun to
/// keep since `before`. Returns how many, and where to go on; nothing if these were the last.
pub async fn let_leave(
    tx: &mut Tx,
    after: BlobId,
    before: Millis,
    now: Millis,
    limit: u32,
) -> Result<(u64, Option<BlobId>), StoreError> {
    const LAST: &str = "select id from blobs where id > $1 order by id limit 1 offset $2";
    const LEAVE: &str = "update blobs set leaving_at = $1
        where id > $2 and id <= $3 and coalesce(leaving_at, 0) = 0 and begun_at <= $4
            and not exists (select 1 from task_log_archives a where a.blob = blobs.id)";
    let last = tx.query_one_or_none(LAST, &[after.into(), limit.saturating_sub(1).into()]).await?;
    let last: Option<BlobId> = last.map(|row| row.columns("blobs").id("id")).transpose()?;
    let until = last.unwrap_or(BlobId::from_uuid(uuid::Uuid::max()));
    let left = tx.execute(LEAVE, &[now.into(), after.into(), until.into(), before.into()]).await?;
    Ok((left, last))
}

/// Up to `limit` blobs that have been leaving since `before`, or longer.
pub async fn leaving(tx: &mut Tx, before: Millis, limit: u32) -> Result<Vec<BlobRow>, StoreError> {
    const SQL: &str = "select id, org, sha256, bytes, kept_at from blobs
        where leaving_at is not null and leaving_at <= $1 order by leaving_at limit $2";
    tx.query(SQL, &[before.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Forgets a blob that has left its place.
pub async fn forget(tx: &mut Tx, blob: BlobId) -> Result<(), StoreError> {
    const SQL: &str = "delete from blobs where id = $1 and leaving_at is not null";
    tx.execute(SQL, &[blob.into()]).await.map(drop)
}

fn read(row: Row) -> Result<BlobRow, StoreError> {
    let mut row = row.columns("blobs");
    Ok(BlobRow {
        id: row.id("id")?,
        org: row.id("org")?,
        sha256: row.text("sha256")?,
        bytes: row.number("bytes")?,
        kept_at: row.millis_or_none("kept_at")?,
    })
}
