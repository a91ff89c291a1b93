//! How many nodes stand where, for summaries: nodes as such are counted along an index, the exceptions among them each
//! by an index that holds nothing else.

use sortie_rules::clocks::ClockState;
use sortie_rules::ids::OrgId;
use sortie_rules::liveness::Presence;

use super::people::count;
use crate::errors::StoreError;
use crate::tx::Tx;
use crate::value::Value;

/// How many nodes of an org stand where. Each is in one of the first six, or is `online`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeCounts {
    /// All of them.
    pub all: u64,
    /// Shut out.
    pub revoked: u64,
    /// Without tasks until an operator has decided.
    pub quarantined: u64,
    /// Never heard.
    pub new: u64,
    /// Silent for a while.
    pub stale: u64,
    /// Silent for long.
    pub down: u64,
    /// Beside these: with a clock that is off.
    pub skewed: u64,
}

impl NodeCounts {
    /// Heard lately.
    pub fn online(&self) -> u64 {
        let exceptions = self.revoked + self.quarantined + self.new + self.stale + self.down;
        self.all.saturating_sub(exceptions)
    }
}

/// Counts an org's nodes.
pub async fn counts(tx: &mut Tx, org: OrgId) -> Result<NodeCounts, StoreError> {
    const REVOKED: &str = "select count(*) from nodes where org = $1 and revoked_at > 0";
    const QUARANTINED: &str = "select count(*) from nodes
        where org = $1 and quarantined_at > 0 and revoked_at is null";
    // `cross join` has SQLite begin with the exceptions, whatever it knows of the tables.
    const MISSED: &str = "select count(*) from node_signs s cross join nodes n
        where s.presence = $2 and s.presence <> 'online' and n.id = s.node and n.org = $1
            and n.revoked_at is null and n.quarantined_at is null";
    const SKEWED: &str = "select count(*) from node_signs s cross join nodes n
        where s.clock = $2 and s.clock = 'skewed' and n.id = s.node and n.org = $1 and n.revoked_at is null";
    let missed = |presence: Presence| [org.into(), presence.as_str().into()];
    let new = number(tx, MISSED, &missed(Presence::New)).await?;
    let stale = number(tx, MISSED, &missed(Presence::Stale)).await?;
    let down = number(tx, MISSED, &missed(Presence::Down)).await?;
    let revoked = number(tx, REVOKED, &[org.into()]).await?;
    let quarantined = number(tx, QUARANTINED, &[org.into()]).await?;
    let skewed = number(tx, SKEWED, &[org.into(), ClockState::Skewed.as_str().into()]).await?;
    Ok(NodeCounts { all: count(tx, org).await?, revoked, quarantined, new, stale, down, skewed })
}

/// How many nodes are at a site, and how many of them are revoked.
pub async fn count_at_site(tx: &mut Tx, org: OrgId, site: &str) -> Result<(u64, u64), StoreError> {
    const SQL: &str = "select count(*), count(revoked_at) from nodes where org = $1 and site = $2";
    let Some(row) = tx.query_one_or_none(SQL, &[org.into(), site.into()]).await? else { return Ok((0, 0)) };
    let mut row = row.columns("nodes");
    Ok((row.number("count")?, row.number("revoked")?))
}

async fn number(tx: &mut Tx, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
    let row = tx.query_one_or_none(sql, values).await?;
    row.map_or(Ok(0), |row| row.columns("nodes").number("count"))
}
