//! Reading the chains.

use sortie_rules::audit::Hash;
use sortie_rules::ids::OrgId;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// Links that were made together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The number of the first.
    pub first: u64,
    /// The number of the last.
    pub last: u64,
    /// Each on a line of its own, as it is exported.
    pub lines: String,
}

/// The number and the hash of the newest link of an org; nothing if there is none.
pub async fn head(tx: &mut Tx, org: OrgId) -> Result<Option<(u64, Hash)>, StoreError> {
    const SQL: &str = "select last, hash from audit where org = $1 order by last desc limit 1";
    let Some(row) = tx.query_one_or_none(SQL, &[org.into()]).await? else { return Ok(None) };
    let mut row = row.columns("audit");
    let (number, bytes) = (row.number("last")?, row.bytes("hash")?);
    let hash = Hash::try_from(bytes).map_err(|_| row.corrupt("hash", "has not 32 bytes"))?;
    Ok(Some((number, hash)))
}

/// Up to `limit` blocks in the order of their links, from the one that holds the first link after this number.
pub async fn list(tx: &mut Tx, org: OrgId, after: u64, limit: u32) -> Result<Vec<Block>, StoreError> {
    const SQL: &str = "select first, last, lines from audit where org = $1 and last > $2 order by last limit $3";
    tx.query(SQL, &[org.into(), after.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` blocks, newest first, from the one that holds the last link before this number.
pub async fn list_newest(tx: &mut Tx, org: OrgId, before: u64, limit: u32) -> Result<Vec<Block>, StoreError> {
    if before <= 1 {
        return Ok(Vec::new());
    }
    // The block in the middle of which the list begins is the first that ends at that link or later.
    const SQL: &str = "select first, last, lines from audit where org = $1
        and last <= coalesce((select min(last) from audit where org = $1 and last >= $2), $3)
        order by last desc limit $4";
    let values = [org.into(), before.saturating_sub(1).into(), i64::MAX.into(), limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<Block, StoreError> {
    let mut row = row.columns("audit");
    Ok(Block { first: row.number("first")?, last: row.number("last")?, lines: row.text("lines")? })
}
