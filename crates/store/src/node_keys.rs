//! `node_keys`: which of the hub's keys each node knows.

use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// A node that could not do without what is leaving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaggardRow {
    /// Which node.
    pub id: NodeId,
    /// Whose it is.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// The key set that it says it has.
    pub keys_version: u64,
    /// The fingerprint of the authority of its certificate; empty if that was the first.
    pub issued_by: String,
    /// When it was last heard, to within a flush.
    pub heard_at: Option<Millis>,
}

/// Whom a list of laggards holds: nodes with an older key set than `needed`, and, if there is an `issuer`,
/// nodes with a certificate of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed<'n> {
    /// The oldest key set that will do.
    pub version: u64,
    /// The fingerprint of the authority whose certificates will do; any if absent.
    pub issuer: Option<&'n str>,
}

/// Keeps what a node has got with its enrolment.
pub async fn put(tx: &mut Tx, node: NodeId, version: u64, issued_by: &str) -> Result<(), StoreError> {
    const SQL: &str = "insert into node_keys (node, keys_version, issued_by) values ($1, $2, $3)
        on conflict (node) do update set keys_version = excluded.keys_version, issued_by = excluded.issued_by";
    tx.execute(SQL, &[node.into(), version.into(), issued_by.into()]).await.map(drop)
}

/// Keeps what a node says it has. Nothing, if it follows no keys.
pub async fn set(tx: &mut Tx, node: NodeId, version: u64, issued_by: &str) -> Result<(), StoreError> {
    const SQL: &str = "update node_keys set keys_version = $2, issued_by = $3 where node = $1";
    tx.execute(SQL, &[node.into(), version.into(), issued_by.into()]).await.map(drop)
}

/// The beginning of what is asked of laggards; `where` follows. Nodes that were shut out are none, and
/// neither are those of the trust API, which verify nothing.
macro_rules! laggards {
    ($columns:literal) => {
        concat!(
            "select ",
            $columns,
            " from node_keys k join nodes n on n.id = k.node join node_signs s on s.node = k.node
            where n.revoked_at is null and n.key_fingerprint not like 'key:%'
                and (k.keys_version < $1 or (cast($2 as text) is not null and k.issued_by <> $2))"
        )
    };
}

/// Up to `limit` laggards of all orgs, those first that were not heard for longest.
pub async fn laggards(tx: &mut Tx, needed: Needed<'_>, limit: u32) -> Result<Vec<LaggardRow>, StoreError> {
    const SQL: &str = concat!(
        laggards!("n.id, n.org, n.name, k.keys_version, k.issued_by, s.heard_at"),
        " order by coalesce(s.heard_at, 0), n.name limit $3"
    );
    let values = [needed.version.into(), needed.issuer.into(), limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

/// How many there are.
pub async fn count_laggards(tx: &mut Tx, needed: Needed<'_>) -> Result<u64, StoreError> {
    const SQL: &str = laggards!("count(*)");
    let row = tx.query_one_or_none(SQL, &[needed.version.into(), needed.issuer.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("node_keys").number("count"))
}

/// How many laggards an org has, counted up to `limit` of each sort. Found by what they have, so that where none lags
/// nobody is looked at.
pub async fn count_laggards_of_org(tx: &mut Tx, org: OrgId, needed: Needed<'_>, limit: u64) -> Result<u64, StoreError> {
    // The order names the index for an engine that knows nothing of the table yet, and `cross join` for SQLite.
    macro_rules! counted {
        ($which:literal, $order:literal) => {
            concat!(
                "select count(*) from (select k.node from node_keys k cross join nodes n
                    where ",
                $which,
                " and n.id = k.node and n.org = $1 and n.revoked_at is null and n.key_fingerprint not like 'key:%'
                    order by ",
                $order,
                " limit $3) counted"
            )
        };
    }
    const BY_VERSION: &str = counted!("k.keys_version < $2", "k.keys_version");
    const BY_ISSUER: [&str; 2] = [
        counted!("k.issued_by < $4 and k.keys_version >= $2", "k.issued_by"),
        counted!("k.issued_by > $4 and k.keys_version >= $2", "k.issued_by"),
    ];
    let values = [org.into(), needed.version.into(), limit.into()];
    let row = tx.query_one_or_none(BY_VERSION, &values).await?;
    let mut count: u64 = row.map_or(Ok(0), |row| row.columns("node_keys").number("count"))?;
    let Some(issuer) = needed.issuer else { return Ok(count) };
    for sql in BY_ISSUER {
        let row = tx.query_one_or_none(sql, &[org.into(), needed.version.into(), limit.into(), issuer.into()]).await?;
        count += row.map_or(Ok(0), |row| row.columns("node_keys").number::<u64>("count"))?;
    }
    Ok(count.min(limit))
}

/// How many nodes of all orgs follow the hub's keys, and the newest key set that one of them says it has.
pub async fn count_followers(tx: &mut Tx) -> Result<(u64, u64), StoreError> {
    const SQL: &str = "select count(*), coalesce(max(k.keys_version), 0) as newest
        from node_keys k join nodes n on n.id = k.node
        where n.revoked_at is null and n.key_fingerprint not like 'key:%'";
    let row = tx.query_one_or_none(SQL, &[]).await?;
    row.map_or(Ok((0, 0)), |row| {
        let mut row = row.columns("node_keys");
        Ok((row.number("count")?, row.number("newest")?))
    })
}

/// Up to `limit` nodes of all orgs that say they have a newer key set than this one: name and version each.
pub async fn ahead_of(tx: &mut Tx, version: u64, limit: u32) -> Result<Vec<(String, u64)>, StoreError> {
    const SQL: &str = "select n.name, k.keys_version from node_keys k join nodes n on n.id = k.node
        where k.keys_version > $1 and n.revoked_at is null and n.key_fingerprint not like 'key:%'
        order by n.name limit $2";
    let rows = tx.query(SQL, &[version.into(), limit.into()]).await?;
    let read = |row: Row| {
        let mut row = row.columns("node_keys");
        Ok((row.text("name")?, row.number("keys_version")?))
    };
    rows.into_iter().map(read).collect()
}

/// A node that follows the hub's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerRow {
    /// Which node.
    pub node: NodeId,
    /// Whose it is.
    pub org: OrgId,
    /// The key set that it says it has.
    pub keys_version: u64,
}

/// Up to `limit` nodes of all orgs with an older key set than this one, of which it was not told.
pub async fn lagging_untold(tx: &mut Tx, version: u64, limit: u32) -> Result<Vec<FollowerRow>, StoreError> {
    // The order names the index for an engine that knows nothing of the table yet, and `cross join` for SQLite.
    const SQL: &str = "select k.node, n.org, k.keys_version from node_keys k cross join nodes n
        where k.lag_told = 0 and k.keys_version < $1 and n.id = k.node and n.revoked_at is null
            and n.key_fingerprint not like 'key:%'
        order by k.keys_version limit $2";
    tx.query(SQL, &[version.into(), limit.into()]).await?.into_iter().map(read_follower).collect()
}

/// Up to `limit` nodes of all orgs of which it was told that they lag, and that have this key set or a newer one.
pub async fn told_and_known(tx: &mut Tx, version: u64, limit: u32) -> Result<Vec<FollowerRow>, StoreError> {
    const SQL: &str = "select k.node, n.org, k.keys_version from node_keys k cross join nodes n
        where k.lag_told = 1 and k.keys_version >= $1 and n.id = k.node order by k.keys_version limit $2";
    tx.query(SQL, &[version.into(), limit.into()]).await?.into_iter().map(read_follower).collect()
}

/// Notes whether it was told of nodes that they lag. Says of each whether that is news.
pub async fn set_lag_told(tx: &mut Tx, nodes: &[NodeId], told: bool) -> Result<Vec<bool>, StoreError> {
    const SQL: &str = "update node_keys set lag_told = $2 where node = $1 and lag_told <> $2";
    let rows: Vec<[Value<'_>; 2]> = nodes.iter().map(|node| [(*node).into(), told.into()]).collect();
    tx.change_each(SQL, &rows).await
}

fn read_follower(row: Row) -> Result<FollowerRow, StoreError> {
    let mut row = row.columns("node_keys");
    Ok(FollowerRow { node: row.id("node")?, org: row.id("org")?, keys_version: row.number("keys_version")? })
}

fn read(row: Row) -> Result<LaggardRow, StoreError> {
    let mut row = row.columns("node_keys");
    Ok(LaggardRow {
        id: row.id("id")?,
        org: row.id("org")?,
        name: row.text("name")?,
        keys_version: row.number("keys_version")?,
        issued_by: row.text("issued_by")?,
        heard_at: row.millis_or_none("heard_at")?,
    })
}
