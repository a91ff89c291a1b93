//! `node_observed`: what each node has said last of its desired state. Facts.

use sortie_rules::desired::Standing;
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::tx::Tx;

/// What a node has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedRow {
    /// Which node.
    pub node: NodeId,
    /// Whose it is.
    pub org: OrgId,
    /// The generation that it has accepted.
    pub generation: u64,
    /// How it stands to it.
    pub standing: Standing,
    /// What it said, as JSON.
    pub document: String,
    /// When the hub heard it.
    pub heard_at: Millis,
}

/// Keeps what a node says in place of what it said before.
pub async fn put(tx: &mut Tx, row: &ObservedRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into node_observed (node, org, generation, standing, document, heard_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (node) do update set generation = excluded.generation, standing = excluded.standing,
            document = excluded.document, heard_at = excluded.heard_at";
    let values = [
        row.node.into(),
        row.org.into(),
        row.generation.into(),
        row.standing.as_str().into(),
        (&row.document).into(),
        row.heard_at.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// What a node has said last.
pub async fn get(tx: &mut Tx, node: NodeId) -> Result<Option<ObservedRow>, StoreError> {
    const SQL: &str = "select node, org, generation, standing, document, heard_at from node_observed where node = $1";
    let Some(row) = tx.query_one_or_none(SQL, &[node.into()]).await? else { return Ok(None) };
    let mut row = row.columns("node_observed");
    Ok(Some(ObservedRow {
        node: row.id("node")?,
        org: row.id("org")?,
        generation: row.number("generation")?,
        standing: row.word("standing", Standing::parse)?,
        document: row.text("document")?,
        heard_at: row.millis("heard_at")?,
    }))
}

/// Which generation a node has said it has accepted, and how it stands to it.
pub async fn standing(tx: &mut Tx, node: NodeId) -> Result<Option<(u64, Standing)>, StoreError> {
    const SQL: &str = "select generation, standing from node_observed where node = $1";
    let Some(row) = tx.query_one_or_none(SQL, &[node.into()]).await? else { return Ok(None) };
    let mut row = row.columns("node_observed");
    Ok(Some((row.number("generation")?, row.word("standing", Standing::parse)?)))
}

/// Forgets what a node has said: another agent has its name from now on.
pub async fn forget(tx: &mut Tx, node: NodeId) -> Result<(), StoreError> {
    const SQL: &str = "delete from node_observed where node = $1";
    tx.execute(SQL, &[node.into()]).await.map(drop)
}
