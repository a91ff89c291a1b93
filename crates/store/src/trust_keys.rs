//! `trust_keys`: secrets of nodes whose client has no certificate. The node's own row names the one that
//! counts.

use sortie_rules::ids::{NodeId, TrustKeyId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::tx::Tx;

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustKeyRow {
    /// Its id, which is public.
    pub id: TrustKeyId,
    /// Whose it is.
    pub node: NodeId,
    /// The hash of its secret.
    pub secret_hash: Vec<u8>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Millis,
}

/// Adds a key.
pub async fn insert(tx: &mut Tx, key: &TrustKeyRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into trust_keys (id, node, secret_hash, created_by, created_at)
        values ($1, $2, $3, $4, $5)";
    let values =
        [key.id.into(), key.node.into(), (&key.secret_hash).into(), (&key.created_by).into(), key.created_at.into()];
    tx.execute(SQL, &values).await.map(drop)
}

/// The key of this id.
pub async fn get(tx: &mut Tx, id: TrustKeyId) -> Result<Option<TrustKeyRow>, StoreError> {
    const SQL: &str = "select id, node, secret_hash, created_by, created_at from trust_keys where id = $1";
    let Some(row) = tx.query_one_or_none(SQL, &[id.into()]).await? else { return Ok(None) };
    let mut row = row.columns("trust_keys");
    Ok(Some(TrustKeyRow {
        id: row.id("id")?,
        node: row.id("node")?,
        secret_hash: row.bytes("secret_hash")?,
        created_by: row.text("created_by")?,
        created_at: row.millis("created_at")?,
    }))
}
