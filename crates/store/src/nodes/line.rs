//! The line between the hubs and one node: how far deliveries have come, and which hub has it.

use sortie_rules::arrivals::Kept;
use sortie_rules::ids::NodeId;

use crate::errors::StoreError;
use crate::tx::Tx;

/// A node's line, and who may speak on it at the same moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRow {
    /// What is kept of it.
    pub kept: Kept,
    /// The SHA-256 of the public key that stands for the node, in hex.
    pub key_fingerprint: String,
    /// Whether the node gets no tasks: it was revoked, or is quarantined.
    pub is_shut_out: bool,
}

/// A delivery that a hub is about to hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// To which node.
    pub node: NodeId,
    /// How often the line had arrived somewhere when it came to this hub.
    pub arrivals: u64,
    /// The delivery's number.
    pub delivered: u64,
    /// What the agent has acknowledged, at most `delivered`.
    pub acknowledged: u64,
}

/// Where a node's line stands.
pub async fn line(tx: &mut Tx, id: NodeId) -> Result<Option<LineRow>, StoreError> {
    const SQL: &str = "select s.arrivals, s.boot, s.seq, s.acknowledged, s.delivered, n.key_fingerprint,
            n.revoked_at, n.quarantined_at
        from node_signs s join nodes n on n.id = s.node where s.node = $1";
    let row = tx.query_one_or_none(SQL, &[id.into()]).await?;
    row.map(|row| {
        let mut row = row.columns("node_signs");
        let arrivals = row.number("arrivals")?;
        let (boot, seq) = (row.id_or_none("boot")?, row.number("seq")?);
        let (acknowledged, delivered) = (row.number("acknowledged")?, row.number("delivered")?);
        let key_fingerprint = row.text("key_fingerprint")?;
        let (revoked_at, quarantined_at) = (row.millis_or_none("revoked_at")?, row.millis_or_none("quarantined_at")?);
        let is_shut_out = revoked_at.is_some() || quarantined_at.is_some();
        let kept = Kept { arrivals, boot: boot.map(|boot| (boot, seq)), acknowledged, delivered };
        Ok(LineRow { kept, key_fingerprint, is_shut_out })
    })
    .transpose()
}

/// Writes down that the line has arrived somewhere. `false`, and nothing is written, if it is not as it was `before`
/// any more: another hub was quicker.
pub async fn arrive(tx: &mut Tx, id: NodeId, before: Kept, after: Kept) -> Result<bool, StoreError> {
    const SQL: &str = "update node_signs set arrivals = $4, boot = $5, seq = $6, acknowledged = $7, delivered = $8
        where node = $1 and arrivals = $2 and delivered = $3";
    let (boot, seq) = after.boot.unzip();
    let values = [
        id.into(),
        before.arrivals.into(),
        before.delivered.into(),
        after.arrivals.into(),
        boot.into(),
        seq.unwrap_or_default().into(),
        after.acknowledged.into(),
        after.delivered.into(),
    ];
    Ok(tx.execute(SQL, &values).await? > 0)
}

/// Writes the number of a delivery down. `false`, and nothing is written, if the line has gone to another hub, or was
/// begun anew: then nothing may be handed out here.
pub async fn set_line(tx: &mut Tx, next: Numbered) -> Result<bool, StoreError> {
    const SQL: &str = "update node_signs set delivered = $3, acknowledged = $4
        where node = $1 and arrivals = $2 and delivered < $3";
    let Numbered { node, arrivals, delivered, acknowledged } = next;
    let values = [node.into(), arrivals.into(), delivered.into(), acknowledged.into()];
    Ok(tx.execute(SQL, &values).await? > 0)
}
