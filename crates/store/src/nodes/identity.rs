//! How a node comes in, proves who it is, and is shut out.

use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;

use super::row::{NodeRow, read, select_nodes};
use crate::errors::StoreError;
use crate::row::{Row, labels_text};
use crate::tx::Tx;
use crate::value::Value;

/// Adds a node that has enrolled. [`NAME_TAKEN`](super::NAME_TAKEN) if the org has one of this name.
pub async fn insert(tx: &mut Tx, node: &NodeRow) -> Result<(), StoreError> {
    const NODE: &str = "insert into nodes
        (id, org, name, site, kind, labels, key_fingerprint, certificate_until, enrolled_at, revoked_at,
         stale_after, down_after, host)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    const SIGNS: &str = "insert into node_signs
        (node, presence, presence_at, heard_at, silent_since, delivered, acknowledged)
        values ($1, $2, $3, $4, $5, $6, $7)";
    let labels = labels_text(&node.labels);
    let values = [
        node.id.into(),
        node.org.into(),
        (&node.name).into(),
        node.site.as_deref().into(),
        (&node.kind).into(),
        (&labels).into(),
        (&node.key_fingerprint).into(),
        node.certificate_until.into(),
        node.enrolled_at.into(),
        node.revoked_at.into(),
        node.stale_after.into(),
        node.down_after.into(),
        node.host.as_ref().map(|host| host.id).into(),
    ];
    tx.execute(NODE, &values).await?;
    let signs = [
        node.id.into(),
        node.presence.as_str().into(),
        node.presence_at.into(),
        node.heard_at.into(),
        node.silent_since.into(),
        node.delivered.into(),
        node.acknowledged.into(),
    ];
    tx.execute(SIGNS, &signs).await?;
    match &node.facts {
        Some(facts) => set_facts(tx, node.id, facts).await,
        None => Ok(()),
    }
}

/// The node of this id, in whichever org: it is how the org of an agent's request is found.
pub async fn get_any_org(tx: &mut Tx, id: NodeId) -> Result<Option<NodeRow>, StoreError> {
    const SQL: &str = concat!(select_nodes!(), "where n.id = $1");
    tx.query_one_or_none(SQL, &[id.into()]).await?.map(read).transpose()
}

/// Gives a node another key: a new enrolment under the old name. It is let in again if it was shut
/// out, its deliveries are numbered from the beginning, and it counts as new until it is heard. `false` if there
/// is no such node.
pub async fn replace_key(
    tx: &mut Tx,
    id: NodeId,
    fingerprint: &str,
    certificate_until: Millis,
    at: Millis,
) -> Result<bool, StoreError> {
    const NODE: &str = "update nodes
        set key_fingerprint = $2, certificate_until = $3, enrolled_at = $4, revoked_at = null,
            quarantined_at = null, certificate_told = 0
        where id = $1";
    const SIGNS: &str = "update node_signs
        set delivered = 0, acknowledged = 0, arrivals = arrivals + 1, boot = null, seq = 0,
            presence = 'new', presence_at = $2, heard_at = null, silent_since = $2
        where node = $1";
    let values = [id.into(), fingerprint.into(), certificate_until.into(), at.into()];
    let found = tx.execute(NODE, &values).await? > 0;
    tx.execute(SIGNS, &[id.into(), at.into()]).await?;
    Ok(found)
}

/// Says which key stands for the node from now on; what it holds stays its own. `false` if `former` does
/// not stand for it any more, or it was shut out.
pub async fn set_key(tx: &mut Tx, id: NodeId, former: &str, fingerprint: &str) -> Result<bool, StoreError> {
    const SQL: &str = "update nodes set key_fingerprint = $3
        where id = $1 and key_fingerprint = $2 and revoked_at is null";
    Ok(tx.execute(SQL, &[id.into(), former.into(), fingerprint.into()]).await? > 0)
}

/// Notes until when the node's newest certificate is valid.
pub async fn set_certificate(tx: &mut Tx, id: NodeId, until: Millis) -> Result<(), StoreError> {
    const SQL: &str = "update nodes set certificate_until = $2, certificate_told = 0 where id = $1";
    tx.execute(SQL, &[id.into(), until.into()]).await.map(drop)
}

/// A node whose certificate is near its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndingRow {
    /// Which node.
    pub id: NodeId,
    /// Whose it is.
    pub org: OrgId,
    /// Until when its certificate is valid.
    pub until: Millis,
    /// Whether it has one.
    pub has_certificate: bool,
}

/// Up to `limit` nodes of all orgs whose certificate ends before `before` and of which it was not told, the next to end
/// first. Those without a certificate are among them once.
pub async fn certificates_ending(tx: &mut Tx, before: Millis, limit: u32) -> Result<Vec<EndingRow>, StoreError> {
    const SQL: &str = "select id, org, certificate_until, key_fingerprint from nodes
        where certificate_told = 0 and revoked_at is null and certificate_until < $1
        order by certificate_until limit $2";
    let read = |row: Row| {
        let mut row = row.columns("nodes");
        let (id, org, until) = (row.id("id")?, row.id("org")?, row.millis("certificate_until")?);
        // Those of the trust API have a key of another sort.
        Ok(EndingRow { id, org, until, has_certificate: !row.text("key_fingerprint")?.starts_with("key:") })
    };
    tx.query(SQL, &[before.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Notes that it was told of these. Says of each whether that is news: not of one that has another certificate since.
pub async fn set_certificate_told(tx: &mut Tx, nodes: &[EndingRow]) -> Result<Vec<bool>, StoreError> {
    const SQL: &str = "update nodes set certificate_told = 1
        where id = $1 and certificate_until = $2 and certificate_told = 0";
    let rows: Vec<[Value<'_>; 2]> = nodes.iter().map(|row| [row.id.into(), row.until.into()]).collect();
    tx.change_each(SQL, &rows).await
}

/// Keeps what the node says of itself, as JSON, in place of what it said before.
pub async fn set_facts(tx: &mut Tx, id: NodeId, facts: &str) -> Result<(), StoreError> {
    const SQL: &str = "insert into node_facts (node, facts) values ($1, $2)
        on conflict (node) do update set facts = excluded.facts";
    tx.execute(SQL, &[id.into(), facts.into()]).await.map(drop)
}

/// Shuts a node out. `false` if there is none, or it was shut out before.
pub async fn revoke(tx: &mut Tx, org: OrgId, id: NodeId, at: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update nodes set revoked_at = $3 where org = $1 and id = $2 and revoked_at is null";
    Ok(tx.execute(SQL, &[org.into(), id.into(), at.into()]).await? > 0)
}

/// Lets a node get no tasks: two agents came with its key. `false` if it is so already, or shut out.
pub async fn quarantine(tx: &mut Tx, id: NodeId, at: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update nodes set quarantined_at = $2
        where id = $1 and quarantined_at is null and revoked_at is null";
    Ok(tx.execute(SQL, &[id.into(), at.into()]).await? > 0)
}

/// Ends that: whoever comes next with the node's key is the node, whatever it has acknowledged. `false` if it was
/// not so.
pub async fn readmit(tx: &mut Tx, org: OrgId, id: NodeId) -> Result<bool, StoreError> {
    const NODE: &str = "update nodes set quarantined_at = null
        where org = $1 and id = $2 and quarantined_at is not null";
    const LINE: &str = "update node_signs
        set acknowledged = 0, arrivals = arrivals + 1, boot = null, seq = 0 where node = $1";
    let was = tx.execute(NODE, &[org.into(), id.into()]).await? > 0;
    if was {
        tx.execute(LINE, &[id.into()]).await?;
    }
    Ok(was)
}
