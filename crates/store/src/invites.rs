//! `invites`: one-time secrets with which agents enrol. Only a hash of the secret is stored.

use std::collections::BTreeMap;

use sortie_rules::ids::{InviteId, NodeId, OrgId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::{Row, labels_text};
use crate::tx::Tx;

/// An invite of this id stands already.
pub const ID_TAKEN: &str = "invites_pkey";

macro_rules! columns {
    () => {
        "id, org, node_name, site, kind, labels, replaces, secret_hash, created_by, created_at, expires_at,
         revoked_at, used_at, used_by_key, node, host"
    };
}

/// One invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// Its id, which is the public part of the invite's text.
    pub id: InviteId,
    /// Whose it is.
    pub org: OrgId,
    /// The name that the node will have.
    pub node_name: String,
    /// The site that the node will be at; it must exist.
    pub site: Option<String>,
    /// The name of the node that it will live on.
    pub host: Option<String>,
    /// What sort of node it will be.
    pub kind: String,
    /// The labels that the node will have.
    pub labels: BTreeMap<String, String>,
    /// Whether it may give a node that exists a new key.
    pub replace: bool,
    /// The hash of its secret part.
    pub secret_hash: Vec<u8>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Millis,
    /// From when on it admits nobody.
    pub expires_at: Millis,
    /// When it was withdrawn, if it was.
    pub revoked_at: Option<Millis>,
    /// When an agent enrolled with it, if one has.
    pub used_at: Option<Millis>,
    /// The fingerprint of that agent's key.
    pub used_by_key: Option<String>,
    /// The node that the agent became.
    pub node: Option<NodeId>,
}

/// Adds an invite that nobody has used.
pub async fn insert(tx: &mut Tx, invite: &InviteRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into invites
        (id, org, node_name, site, kind, labels, replaces, secret_hash, created_by, created_at, expires_at,
         revoked_at, used_at, used_by_key, node, host)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    let labels = labels_text(&invite.labels);
    let values = [
        invite.id.into(),
        invite.org.into(),
        (&invite.node_name).into(),
        invite.site.as_deref().into(),
        (&invite.kind).into(),
        (&labels).into(),
        invite.replace.into(),
        (&invite.secret_hash).into(),
        (&invite.created_by).into(),
        invite.created_at.into(),
        invite.expires_at.into(),
        invite.revoked_at.into(),
        invite.used_at.into(),
        invite.used_by_key.as_deref().into(),
        invite.node.into(),
        invite.host.as_deref().into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// The org's invite of this id.
pub async fn get(tx: &mut Tx, org: OrgId, id: InviteId) -> Result<Option<InviteRow>, StoreError> {
    const SQL: &str = concat!("select ", columns!(), " from invites where org = $1 and id = $2");
    tx.query_one_or_none(SQL, &[org.into(), id.into()]).await?.map(read).transpose()
}

/// The invite of this id, in whichever org: an agent that enrols knows no org.
pub async fn get_any_org(tx: &mut Tx, id: InviteId) -> Result<Option<InviteRow>, StoreError> {
    const SQL: &str = concat!("select ", columns!(), " from invites where id = $1");
    tx.query_one_or_none(SQL, &[id.into()]).await?.map(read).transpose()
}

/// Keeps others that hold this invite waiting until the transaction ends: of two that come with it at
/// once, the second reads what became of the first.
pub async fn hold(tx: &mut Tx, id: InviteId) -> Result<(), StoreError> {
    const SQL: &str = "update invites set id = id where id = $1";
    tx.execute(SQL, &[id.into()]).await.map(drop)
}

/// Up to `limit` invites, newest first, that are older than `after`.
pub async fn list(tx: &mut Tx, org: OrgId, after: Option<InviteId>, limit: u32) -> Result<Vec<InviteRow>, StoreError> {
    const SQL: &str =
        concat!("select ", columns!(), " from invites where org = $1 and id < $2 order by id desc limit $3");
    let after = after.map_or(crate::dialect::ABOVE_ALL_IDS.into(), Into::into);
    tx.query(SQL, &[org.into(), after, limit.into()]).await?.into_iter().map(read).collect()
}

/// Records who enrolled with it. `false` if it was used before: an invite admits one.
pub async fn use_up(tx: &mut Tx, id: InviteId, key: &str, node: NodeId, at: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update invites set used_at = $4, used_by_key = $2, node = $3
        where id = $1 and used_at is null";
    Ok(tx.execute(SQL, &[id.into(), key.into(), node.into(), at.into()]).await? > 0)
}

/// Withdraws an invite. `false` if there is none, or it was withdrawn before.
pub async fn revoke(tx: &mut Tx, org: OrgId, id: InviteId, at: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update invites set revoked_at = $3 where org = $1 and id = $2 and revoked_at is null";
    Ok(tx.execute(SQL, &[org.into(), id.into(), at.into()]).await? > 0)
}

/// With how many invites somebody can still come to this site: neither used nor withdrawn, and not expired at `now`.
pub async fn count_open_to(tx: &mut Tx, org: OrgId, site: &str, now: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from invites
        where org = $1 and site = $2 and used_at is null and revoked_at is null and expires_at > $3";
    let row = tx.query_one_or_none(SQL, &[org.into(), site.into(), now.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("invites").number("count"))
}

/// Lets invites that name a site name none. Returns how many. Whoever calls this has seen that none of them is open.
pub async fn forget_site(tx: &mut Tx, org: OrgId, site: &str) -> Result<u64, StoreError> {
    const SQL: &str = "update invites set site = null where org = $1 and site = $2";
    tx.execute(SQL, &[org.into(), site.into()]).await
}

/// Deletes invites that expired before `before`. Returns how many.
pub async fn delete_older(tx: &mut Tx, before: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "delete from invites where expires_at < $1";
    tx.execute(SQL, &[before.into()]).await
}

fn read(row: Row) -> Result<InviteRow, StoreError> {
    let mut row = row.columns("invites");
    Ok(InviteRow {
        id: row.id("id")?,
        org: row.id("org")?,
        node_name: row.text("node_name")?,
        site: row.text_or_none("site")?,
        kind: row.text("kind")?,
        labels: row.labels("labels")?,
        replace: row.flag("replaces")?,
        secret_hash: row.bytes("secret_hash")?,
        created_by: row.text("created_by")?,
        created_at: row.millis("created_at")?,
        expires_at: row.millis("expires_at")?,
        revoked_at: row.millis_or_none("revoked_at")?,
        used_at: row.millis_or_none("used_at")?,
        used_by_key: row.text_or_none("used_by_key")?,
        node: row.id_or_none("node")?,
        host: row.text_or_none("host")?,
    })
}
