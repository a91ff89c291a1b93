//! `told`: when a recipient was last told that something began, by which way.

use sortie_rules::ids::{DispatchId, NodeId, OrgId};
use sortie_rules::notifications::Channel;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// Of what somebody was told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ToldOf {
    /// Whose alarms.
    pub org: OrgId,
    /// Of which rule.
    pub rule: String,
    /// At which node, if at one.
    pub node: Option<NodeId>,
    /// About what beside that.
    pub subject: String,
}

/// What somebody was told last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldRow {
    /// Of what.
    pub of: ToldOf,
    /// Who was told.
    pub recipient: String,
    /// By which way.
    pub channel: Channel,
    /// When.
    pub at: Millis,
}

/// Who was told of these, and when, in no order. Each may be asked for once.
pub async fn of(tx: &mut Tx, all: &[ToldOf]) -> Result<Vec<ToldRow>, StoreError> {
    const SQL: &str = "select org, alarm_rule, node, subject, recipient, channel, told_at from told
        where org = $1 and alarm_rule = $2 and node = $3 and subject = $4";
    let values: Vec<[Value<'_>; 4]> = all
        .iter()
        .map(|of| {
            let node = of.node.map_or("".into(), Into::into);
            [of.org.into(), (&of.rule).into(), node, (&of.subject).into()]
        })
        .collect();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    tx.query_each(SQL, &values).await?.into_iter().map(read).collect()
}

/// Writes down that all beginnings in a dispatch are told now.
pub async fn note(tx: &mut Tx, dispatch: DispatchId, now: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "insert into told (org, alarm_rule, node, subject, recipient, channel, told_at)
        select distinct org, alarm_rule, coalesce(node, ''), subject, recipient, channel, cast($2 as bigint)
            from notifications where dispatch = $1 and opened = 1
        on conflict (org, alarm_rule, node, subject, recipient, channel) do update set told_at = excluded.told_at";
    tx.execute(SQL, &[dispatch.into(), now.into()]).await
}

/// Forgets up to `limit` of what was told before `before`, the oldest first. Returns how much went.
pub async fn delete_before(tx: &mut Tx, before: Millis, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "delete from told where (org, alarm_rule, node, subject, recipient, channel) in
        (select org, alarm_rule, node, subject, recipient, channel from told
            where told_at < $1 order by told_at limit $2)";
    tx.execute(SQL, &[before.into(), limit.into()]).await
}

fn read(row: Row) -> Result<ToldRow, StoreError> {
    let mut row = row.columns("told");
    let (org, rule) = (row.id("org")?, row.text("alarm_rule")?);
    let node = match row.text("node")? {
        text if text.is_empty() => None,
        text => Some(text.parse().map_err(|_| row.corrupt("node", "is no id"))?),
    };
    let of = ToldOf { org, rule, node, subject: row.text("subject")? };
    let (recipient, channel) = (row.text("recipient")?, row.word("channel", Channel::parse)?);
    Ok(ToldRow { of, recipient, channel, at: row.millis("told_at")? })
}
