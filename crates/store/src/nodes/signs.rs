//! Signs of life: what is said of nodes' presence, and what it rests on.

use sortie_rules::clocks::ClockState;
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::liveness::{ChosenThresholds, Presence};
use sortie_rules::proofs::Proof;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// What the hub keeps in memory of each node, to tell silence without asking the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceRow {
    /// Which node.
    pub id: NodeId,
    /// Whose it is.
    pub org: OrgId,
    /// What was last said.
    pub presence: Presence,
    /// From when its silence counts.
    pub silent_since: Millis,
    /// When it was last heard.
    pub heard_at: Option<Millis>,
    /// What sort of node it is.
    pub kind: String,
    /// Its own thresholds.
    pub chosen: ChosenThresholds,
    /// Whether it was shut out.
    pub revoked: bool,
}

/// Up to `limit` nodes of all orgs in the order of their ids, after `after`: for the hub's start.
pub async fn presence_all(tx: &mut Tx, after: Option<NodeId>, limit: u32) -> Result<Vec<PresenceRow>, StoreError> {
    const SQL: &str = "select n.id, n.org, s.presence, s.silent_since, s.heard_at, n.kind, n.stale_after, n.down_after,
            n.revoked_at
        from nodes n join node_signs s on s.node = n.id where n.id > $1 and s.node > $1
        order by n.id limit $2";
    let after = after.map_or("".into(), Into::into);
    tx.query(SQL, &[after, limit.into()]).await?.into_iter().map(read).collect()
}

/// Writes down what is said of nodes from `at` on, each there once. Says of each whether it is news that stands: of
/// those that were shut out nothing is said, and what is said already, by another hub too, is no news. A node that is
/// there is not silent before that, even if the hub ends before it writes down whom it has heard.
pub async fn set_presence(tx: &mut Tx, nodes: &[(NodeId, Presence)], at: Millis) -> Result<Vec<bool>, StoreError> {
    const SQL: &str = "update node_signs set presence = $2, presence_at = $3,
            heard_at = case when $2 = 'new' or heard_at is not null then heard_at else cast($3 as bigint) end,
            silent_since = case when $2 = 'online' and silent_since < $3 then $3 else silent_since end
        where node = $1 and presence <> $2 and exists (select 1 from nodes where id = $1 and revoked_at is null)";
    let rows: Vec<[Value<'_>; 3]> =
        nodes.iter().map(|(id, said)| [(*id).into(), said.as_str().into(), at.into()]).collect();
    tx.change_each(SQL, &rows).await
}

/// Writes down with what a node proved who it is.
pub async fn set_proof(tx: &mut Tx, id: NodeId, proof: Proof) -> Result<(), StoreError> {
    const SQL: &str = "update node_signs set proof = $2 where node = $1";
    tx.execute(SQL, &[id.into(), proof.as_str().into()]).await.map(drop)
}

/// Writes down what is said of a node's clock, and by how many milliseconds it is ahead.
pub async fn set_clock(tx: &mut Tx, id: NodeId, clock: ClockState, skew_ms: i64) -> Result<(), StoreError> {
    const SQL: &str = "update node_signs set clock = $2, clock_skew_ms = $3 where node = $1";
    tx.execute(SQL, &[id.into(), clock.as_str().into(), skew_ms.into()]).await.map(drop)
}

/// Writes down when nodes were last heard and from when their silence counts, many at once. What
/// another hub wrote that is newer stays.
pub async fn flush_heard(tx: &mut Tx, heard: &[(NodeId, Millis, Millis)]) -> Result<(), StoreError> {
    const SQL: &str = "update node_signs set
            heard_at = case when heard_at is null or heard_at < $2 then $2 else heard_at end,
            silent_since = case when silent_since < $3 then $3 else silent_since end
        where node = $1";
    let rows: Vec<_> = heard.iter().map(|(id, at, since)| [(*id).into(), (*at).into(), (*since).into()]).collect();
    tx.execute_each(SQL, &rows).await.map(drop)
}

/// Nobody listened from `from` until `until`, so no node's silence counts in that time. The set form
/// of [`sortie_rules::liveness::skip_absence`], for every node of every org.
pub async fn skip_absence(tx: &mut Tx, from: Millis, until: Millis) -> Result<(), StoreError> {
    const SQL: &str = "update node_signs
        set silent_since = $2 - case when silent_since < $1 then $1 - silent_since else 0 end
        where silent_since < $2";
    if from >= until {
        return Ok(());
    }
    tx.execute(SQL, &[from.into(), until.into()]).await.map(drop)
}

/// The clock by which this is written was put forward by so many milliseconds, or back, if negative, and shows `now`:
/// each node's silence goes on for as long as it was.
pub async fn move_silence(tx: &mut Tx, by_ms: i64, now: Millis) -> Result<(), StoreError> {
    const SQL: &str = "update node_signs
        set silent_since = case when silent_since + $1 < $2 then silent_since + $1 else $2 end,
            heard_at = case when heard_at > $2 and heard_at + $1 < $2 then heard_at + $1
                when heard_at > $2 then $2 else heard_at end";
    tx.execute(SQL, &[by_ms.into(), now.into()]).await.map(drop)
}

fn read(row: Row) -> Result<PresenceRow, StoreError> {
    let mut row = row.columns("nodes");
    Ok(PresenceRow {
        id: row.id("id")?,
        org: row.id("org")?,
        presence: row.word("presence", Presence::parse)?,
        silent_since: row.millis("silent_since")?,
        heard_at: row.millis_or_none("heard_at")?,
        kind: row.text("kind")?,
        chosen: ChosenThresholds {
            stale_after: row.span_or_none("stale_after")?,
            down_after: row.span_or_none("down_after")?,
        },
        revoked: row.millis_or_none("revoked_at")?.is_some(),
    })
}
