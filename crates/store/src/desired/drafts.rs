//! `drafts`: what is being written for a layer. One that was published or discarded keeps its version, so that whoever
//! read it writes over nobody's work.

use sortie_rules::time::Millis;

use super::publications::LayerKey;
use crate::errors::StoreError;
use crate::tx::Tx;

/// A draft, or where one was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    /// Of which layer.
    pub key: LayerKey,
    /// What it says, as JSON; nothing if there is none any more.
    pub state: Option<String>,
    /// The revision on which it was begun.
    pub based_on: u64,
    /// Counts its changes.
    pub version: u64,
    /// Who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
}

/// The draft of a layer, or what is left of the last one.
pub async fn get(tx: &mut Tx, key: &LayerKey) -> Result<Option<DraftRow>, StoreError> {
    const SQL: &str = "select state, based_on, version, changed_by, changed_at from drafts
        where org = $1 and layer = $2 and layer_of = $3";
    let Some(row) = tx.query_one_or_none(SQL, &key.values()).await? else { return Ok(None) };
    let mut row = row.columns("drafts");
    Ok(Some(DraftRow {
        key: key.clone(),
        state: row.text_or_none("state")?,
        based_on: row.number("based_on")?,
        version: row.number("version")?,
        changed_by: row.text("changed_by")?,
        changed_at: row.millis("changed_at")?,
    }))
}

/// Writes a draft whose version follows the one before. `false` if somebody was quicker.
pub async fn put(tx: &mut Tx, row: &DraftRow) -> Result<bool, StoreError> {
    const INSERT: &str = "insert into drafts
        (org, layer, layer_of, state, based_on, version, changed_by, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (org, layer, layer_of) do nothing";
    const UPDATE: &str = "update drafts
        set state = $4, based_on = $5, version = $6, changed_by = $7, changed_at = $8
        where org = $1 and layer = $2 and layer_of = $3 and version + 1 = $6";
    let [org, layer, of] = row.key.values();
    let (state, based_on, version) = (row.state.as_deref().into(), row.based_on.into(), row.version.into());
    let values = [org, layer, of, state, based_on, version, (&row.changed_by).into(), row.changed_at.into()];
    let text = if row.version == 1 { INSERT } else { UPDATE };
    Ok(tx.execute(text, &values).await? > 0)
}
