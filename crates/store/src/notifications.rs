//! `notifications`: one alarm's beginning or end, for one recipient on one channel, and what became of it.

use sortie_rules::alarms::Severity;
use sortie_rules::ids::{AlarmId, DispatchId, NodeId, NotificationId, OrgId};
use sortie_rules::notifications::{Beginning, Channel};
use sortie_rules::time::Millis;

use crate::dialect;
use crate::errors::StoreError;
use crate::row::{Columns, Row};
use crate::tx::Tx;
use crate::value::Value;

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationRow {
    /// Identifies it.
    pub id: NotificationId,
    /// Whose it is.
    pub org: OrgId,
    /// What it tells.
    pub tells: Tells,
    /// Who is told.
    pub recipient: String,
    /// By which way.
    pub channel: Channel,
    /// The notification rule that says so.
    pub rule: String,
    /// Where it stands.
    pub state: NotificationState,
    /// Why it is, or was, held back, or why it did not arrive, in a word.
    pub why: Option<String>,
    /// When it was made.
    pub created_at: Millis,
}

/// The beginning or the end of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tells {
    /// The number of the event that told of it.
    pub event: u64,
    /// Which alarm.
    pub alarm: AlarmId,
    /// The rule that raised it.
    pub alarm_rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// The node that it is about, if it is about one.
    pub node: Option<NodeId>,
    /// What the node was called then.
    pub node_name: Option<String>,
    /// The site at which it was then.
    pub site: Option<String>,
    /// What it is about beside its node; empty: nothing.
    pub subject: String,
    /// What is wrong, as a sentence.
    pub summary: String,
    /// Whether it began; else it is over.
    pub opened: bool,
    /// When that was.
    pub at: Millis,
}

/// Where a notification stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationState {
    /// It goes out with the next dispatch, or with this one.
    Waiting {
        /// Since when it waits.
        since: Millis,
        /// With what it goes out.
        dispatch: Option<DispatchId>,
    },
    /// It is held back.
    HeldBack {
        /// When it is told after all, if the alarm still stands.
        due_at: Option<Millis>,
    },
    /// It went out, or will never.
    Over {
        /// In a word: `sent`, `failed` or `given_up`.
        how: String,
        /// With what.
        dispatch: DispatchId,
        /// When it came to its end.
        ended_at: Millis,
    },
}

/// What waits for one recipient on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Whose it is.
    pub org: OrgId,
    /// For whom.
    pub recipient: String,
    /// On which channel.
    pub channel: Channel,
    /// How many notifications wait.
    pub count: u64,
    /// Since when the first of them does.
    pub first_at: Millis,
    /// Since when the newest of them does.
    pub newest_at: Millis,
}

/// A notification, with what its alarm knows besides, as long as that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it tells.
    pub tells: Tells,
    /// Since when it is so.
    pub began_at: Option<Millis>,
    /// Since when it is over.
    pub resolved_at: Option<Millis>,
    /// What began it, as JSON.
    pub data: Option<String>,
}

/// How many notifications of one dispatch are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The notification rule that told them.
    pub rule: String,
    /// Whether they tell of beginnings.
    pub opened: bool,
    /// How much their alarms matter.
    pub severity: Severity,
    /// How many.
    pub count: u64,
}

/// Which notifications a list should have; what is left out does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotificationFilter {
    /// Only those that stand so.
    pub state: Option<&'static str>,
    /// Only those for this recipient.
    pub recipient: Option<String>,
    /// Only those on this channel.
    pub channel: Option<Channel>,
    /// Only those of this alarm.
    pub alarm: Option<AlarmId>,
}

macro_rules! columns {
    () => {
        "id, org, event, alarm, alarm_rule, severity, node, node_name, site, subject, summary, opened, at, recipient,
            channel, rule, state, why, due_at, waits_since, dispatch, created_at, ended_at"
    };
}

/// Adds notifications. What is known of an event for the same recipient on the same channel stays as it is.
pub async fn insert_all(tx: &mut Tx, rows: &[NotificationRow]) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "insert into notifications (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
            $22, $23) on conflict do nothing"
    );
    let values: Vec<[Value<'_>; 23]> = rows.iter().map(values).collect();
    if values.is_empty() { Ok(()) } else { tx.execute_each(SQL, &values).await.map(drop) }
}

fn values(row: &NotificationRow) -> [Value<'_>; 23] {
    let (state, due_at, since, dispatch, ended_at) = match &row.state {
        NotificationState::Waiting { since, dispatch } => ("waiting", None, Some(*since), *dispatch, None),
        NotificationState::HeldBack { due_at } => ("held_back", *due_at, None, None, None),
        NotificationState::Over { how, dispatch, ended_at } => {
            (how.as_str(), None, None, Some(*dispatch), Some(*ended_at))
        }
    };
    let tells = &row.tells;
    [
        row.id.into(),
        row.org.into(),
        tells.event.into(),
        tells.alarm.into(),
        (&tells.alarm_rule).into(),
        tells.severity.as_str().into(),
        tells.node.into(),
        tells.node_name.as_deref().into(),
        tells.site.as_deref().into(),
        (&tells.subject).into(),
        (&tells.summary).into(),
        tells.opened.into(),
        tells.at.into(),
        (&row.recipient).into(),
        row.channel.as_str().into(),
        (&row.rule).into(),
        state.into(),
        row.why.as_deref().into(),
        due_at.into(),
        since.into(),
        dispatch.into(),
        row.created_at.into(),
        ended_at.into(),
    ]
}

/// The beginning of an alarm, for one recipient on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Which alarm.
    pub alarm: AlarmId,
    /// For whom.
    pub recipient: String,
    /// By which way.
    pub channel: Channel,
    /// The notification rule that said so.
    pub rule: String,
    /// What has become of it.
    pub became: Beginning,
}

/// What became of the beginnings of these alarms: of each, for whom and by which way. In no order; each may be asked
/// for once.
pub async fn beginnings(tx: &mut Tx, alarms: &[AlarmId]) -> Result<Vec<Begun>, StoreError> {
    const SQL: &str = "select alarm, recipient, channel, rule, state, dispatch from notifications
        where alarm = $1 and opened = 1";
    let values: Vec<[Value<'_>; 1]> = alarms.iter().map(|alarm| [(*alarm).into()]).collect();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let read = |row: Row| {
        let mut row = row.columns("notifications");
        let (alarm, recipient) = (row.id("alarm")?, row.text("recipient")?);
        let (channel, rule) = (row.word("channel", Channel::parse)?, row.text("rule")?);
        let state = row.text("state")?;
        let dispatch: Option<DispatchId> = row.id_or_none("dispatch")?;
        let became = match (state.as_str(), dispatch) {
            ("held_back", _) => Beginning::HeldBack,
            (_, None) => Beginning::Waits,
            (_, Some(_)) => Beginning::OnItsWay,
        };
        Ok(Begun { alarm, recipient, channel, rule, became })
    };
    tx.query_each(SQL, &values).await?.into_iter().map(read).collect()
}

/// These alarms are over: of what has not gone out that they began, nobody is told any more.
pub async fn drop_beginnings(tx: &mut Tx, alarms: &[AlarmId]) -> Result<u64, StoreError> {
    const SQL: &str = "update notifications
        set why = case when state = 'waiting' then 'over_before_told' else why end, state = 'held_back',
            waits_since = null, due_at = null
        where alarm = $1 and opened = 1 and dispatch is null and (waits_since is not null or due_at is not null)";
    let values: Vec<[Value<'_>; 1]> = alarms.iter().map(|alarm| [(*alarm).into()]).collect();
    if values.is_empty() { Ok(0) } else { tx.execute_each(SQL, &values).await }
}

/// Somebody is told nothing any more, for this reason: what has not gone out is held back for good, and what is on its
/// way has failed.
pub async fn drop_all_for(tx: &mut Tx, org: OrgId, recipient: &str, why: &str, now: Millis) -> Result<u64, StoreError> {
    const WAITING: &str = "update notifications set state = 'held_back', why = $3, waits_since = null, due_at = null
        where org = $1 and recipient = $2 and state = 'waiting' and dispatch is null";
    const HELD: &str = "update notifications set due_at = null
        where org = $1 and recipient = $2 and due_at is not null";
    const DISPATCHES: &str = "update dispatches set state = 'failed', code = $3, next_at = null, ended_at = $4
        where org = $1 and recipient = $2 and next_at is not null";
    const ON_ITS_WAY: &str = "update notifications set state = 'failed', why = $3, ended_at = $4
        where org = $1 and recipient = $2 and state = 'waiting' and dispatch is not null";
    let waiting = tx.execute(WAITING, &[org.into(), recipient.into(), why.into()]).await?;
    let held = tx.execute(HELD, &[org.into(), recipient.into()]).await?;
    // What is on its way as well: whoever gets the name next is somebody else. A try that is under way finds it ended.
    tx.execute(DISPATCHES, &[org.into(), recipient.into(), why.into(), now.into()]).await?;
    Ok(waiting + held + tx.execute(ON_ITS_WAY, &[org.into(), recipient.into(), why.into(), now.into()]).await?)
}

/// Something that was held back until now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub id: NotificationId,
    /// Whose.
    pub org: OrgId,
    /// The node that it is about.
    pub node: Option<NodeId>,
    /// The rule that raised the alarm.
    pub alarm_rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// Who is told.
    pub recipient: String,
    /// By which way.
    pub channel: Channel,
    /// The notification rule that says so.
    pub rule: String,
}

/// Up to `limit` of what was held back until now, the longest due first.
pub async fn due(tx: &mut Tx, now: Millis, limit: u32) -> Result<Vec<Due>, StoreError> {
    const SQL: &str = "select id, org, node, alarm_rule, severity, recipient, channel, rule from notifications
        where due_at <= $1 order by due_at limit $2";
    let read = |row: Row| {
        let mut row = row.columns("notifications");
        Ok(Due {
            id: row.id("id")?,
            org: row.id("org")?,
            node: row.id_or_none("node")?,
            alarm_rule: row.text("alarm_rule")?,
            severity: row.word("severity", Severity::parse)?,
            recipient: row.text("recipient")?,
            channel: row.word("channel", Channel::parse)?,
            rule: row.text("rule")?,
        })
    };
    tx.query(SQL, &[now.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Of these, what is still held back until now waits to go out. Returns how many.
pub async fn let_go(tx: &mut Tx, ids: &[NotificationId], now: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "update notifications set state = 'waiting', due_at = null, waits_since = $2
        where id = $1 and due_at <= $2";
    let values: Vec<[Value<'_>; 2]> = ids.iter().map(|id| [(*id).into(), now.into()]).collect();
    if values.is_empty() { Ok(0) } else { tx.execute_each(SQL, &values).await }
}

/// Of these, what is still held back until now goes on being so, for this reason and until these moments. Returns how
/// many.
pub async fn hold_on(
    tx: &mut Tx,
    until: &[(NotificationId, Millis)],
    why: &str,
    now: Millis,
) -> Result<u64, StoreError> {
    const SQL: &str = "update notifications set due_at = $2, why = $3 where id = $1 and due_at <= $4";
    let values: Vec<[Value<'_>; 4]> =
        until.iter().map(|(id, until)| [(*id).into(), (*until).into(), why.into(), now.into()]).collect();
    if values.is_empty() { Ok(0) } else { tx.execute_each(SQL, &values).await }
}

/// Of these, what is still held back until now is so for good, for this reason. Returns how many.
pub async fn hold_for_good(tx: &mut Tx, ids: &[NotificationId], why: &str, now: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "update notifications set due_at = null, why = $2 where id = $1 and due_at <= $3";
    let values: Vec<[Value<'_>; 3]> = ids.iter().map(|id| [(*id).into(), why.into(), now.into()]).collect();
    if values.is_empty() { Ok(0) } else { tx.execute_each(SQL, &values).await }
}

/// What an org holds back for this reason until later is held back until now: the reason may be gone. Looks at up to
/// `limit` of what it holds back, after this one, and returns the last of them, unless there is no more.
pub async fn look_again(
    tx: &mut Tx,
    org: OrgId,
    why: &str,
    now: Millis,
    after: Option<NotificationId>,
    limit: u32,
) -> Result<Option<NotificationId>, StoreError> {
    const HELD: &str = "select id, why, due_at from notifications where org = $1 and state = 'held_back' and id > $2
        order by id limit $3";
    const SQL: &str = "update notifications set due_at = $2 where id = $1 and due_at > $2";
    let after = after.map_or("".into(), Into::into);
    let rows = tx.query(HELD, &[org.into(), after, limit.into()]).await?;
    let (mut last, mut again, count) = (None, Vec::new(), rows.len());
    for row in rows {
        let mut row = row.columns("notifications");
        let id: NotificationId = row.id("id")?;
        let is_why = row.text_or_none("why")?.as_deref() == Some(why);
        if is_why && row.millis_or_none("due_at")?.is_some_and(|due_at| due_at > now) {
            again.push(id);
        }
        last = Some(id);
    }
    let values: Vec<[Value<'_>; 2]> = again.iter().map(|id| [(*id).into(), now.into()]).collect();
    if !values.is_empty() {
        tx.execute_each(SQL, &values).await?;
    }
    Ok(last.filter(|_| count == limit as usize))
}

/// The clock by which this is written was put back by so many milliseconds (negative), or forward: what waits waits no
/// longer than it would have. After a leap forward it is only seen to that nothing is given up because of it.
pub async fn move_times(tx: &mut Tx, by_ms: i64) -> Result<(), StoreError> {
    const SINCE: &str = "update dispatches set since = since + $1 where next_at is not null";
    const NEXT: &str = "update dispatches set next_at = next_at + $1 where next_at is not null";
    const DUE: &str = "update notifications set due_at = due_at + $1 where due_at is not null";
    const WAITS: &str = "update notifications set waits_since = waits_since + $1
        where state = 'waiting' and dispatch is null";
    const TOLD: &str = "update told set told_at = told_at + $1 where told_at > 0";
    tx.execute(SINCE, &[by_ms.into()]).await?;
    if by_ms < 0 {
        for sql in [NEXT, DUE, WAITS, TOLD] {
            tx.execute(sql, &[by_ms.into()]).await?;
        }
    }
    Ok(())
}

/// Up to `limit` recipients and ways for which something waits, after this one in their order.
pub async fn groups(tx: &mut Tx, after: Option<&Group>, limit: u32) -> Result<Vec<Group>, StoreError> {
    const SQL: &str = "select org, recipient, channel, count(*) as count, min(waits_since) as first_at,
            max(waits_since) as newest_at
        from notifications
        where state = 'waiting' and dispatch is null and (org, recipient, channel) > ($1, $2, $3)
        group by org, recipient, channel order by org, recipient, channel limit $4";
    let values = match after {
        Some(group) => [group.org.into(), (&group.recipient).into(), group.channel.as_str().into(), limit.into()],
        None => ["".into(), "".into(), "".into(), limit.into()],
    };
    let read = |row: Row| {
        let mut row = row.columns("notifications");
        Ok(Group {
            org: row.id("org")?,
            recipient: row.text("recipient")?,
            channel: row.word("channel", Channel::parse)?,
            count: row.number("count")?,
            first_at: row.millis("first_at")?,
            newest_at: row.millis("newest_at")?,
        })
    };
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

/// All that waits for a recipient on a channel goes out with this dispatch. Returns how many that are.
pub async fn bind(tx: &mut Tx, group: &Group, dispatch: DispatchId) -> Result<u64, StoreError> {
    const SQL: &str = "update notifications set dispatch = $4
        where org = $1 and recipient = $2 and channel = $3 and state = 'waiting' and dispatch is null";
    let (recipient, channel) = ((&group.recipient).into(), group.channel.as_str().into());
    tx.execute(SQL, &[group.org.into(), recipient, channel, dispatch.into()]).await
}

/// The first so many notifications of a dispatch, with what their alarms know.
pub async fn first_of(tx: &mut Tx, dispatch: DispatchId, limit: u32) -> Result<Vec<Told>, StoreError> {
    const SQL: &str = "select n.event, n.alarm, n.alarm_rule, n.severity, n.node, n.node_name, n.site, n.subject,
            n.summary, n.opened, n.at, a.began_at, a.resolved_at, a.data
        from notifications n left join alarms a on a.id = n.alarm
        where n.dispatch = $1 order by n.id limit $2";
    let read = |row: Row| {
        let mut row = row.columns("notifications");
        Ok(Told {
            tells: read_tells(&mut row)?,
            began_at: row.millis_or_none("began_at")?,
            resolved_at: row.millis_or_none("resolved_at")?,
            data: row.text_or_none("data")?,
        })
    };
    tx.query(SQL, &[dispatch.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Of what a dispatch tells, and how much of each.
pub async fn tally(tx: &mut Tx, dispatch: DispatchId) -> Result<Vec<Tally>, StoreError> {
    const SQL: &str = "select rule, opened, severity, count(*) as count from notifications where dispatch = $1
        group by rule, opened, severity order by rule, opened, severity";
    let read = |row: Row| {
        let mut row = row.columns("notifications");
        Ok(Tally {
            rule: row.text("rule")?,
            opened: row.flag("opened")?,
            severity: row.word("severity", Severity::parse)?,
            count: row.number("count")?,
        })
    };
    tx.query(SQL, &[dispatch.into()]).await?.into_iter().map(read).collect()
}

/// A dispatch has come to its end, and with it all that it tells. `why`, if it did not arrive, is a word.
pub async fn end_all(
    tx: &mut Tx,
    dispatch: DispatchId,
    state: &str,
    why: Option<&str>,
    now: Millis,
) -> Result<u64, StoreError> {
    const SQL: &str = "update notifications set state = $2, why = coalesce(cast($3 as text), why), ended_at = $4
        where dispatch = $1 and state = 'waiting'";
    tx.execute(SQL, &[dispatch.into(), state.into(), why.into(), now.into()]).await
}

/// Up to `limit` notifications of an org, the newest first, below the id `before`.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    filter: &NotificationFilter,
    before: Option<NotificationId>,
    limit: u32,
) -> Result<Vec<NotificationRow>, StoreError> {
    const ALL: &str = concat!(
        "select ",
        columns!(),
        " from notifications where org = $1 and id < $2 and (cast($4 as text) is null or channel = $4)
        order by id desc limit $3"
    );
    const OF_STATE: &str = concat!(
        "select ",
        columns!(),
        " from notifications where org = $1 and state = $5 and id < $2 and (cast($4 as text) is null or channel = $4)
        order by id desc limit $3"
    );
    const OF_RECIPIENT: &str = concat!(
        "select ",
        columns!(),
        " from notifications where org = $1 and recipient = $6 and id < $2
            and (cast($4 as text) is null or channel = $4) and (cast($5 as text) is null or state = $5)
        order by id desc limit $3"
    );
    const OF_ALARM: &str = concat!(
        "select ",
        columns!(),
        " from notifications where org = $1 and alarm = $7 and id < $2
            and (cast($4 as text) is null or channel = $4) and (cast($5 as text) is null or state = $5)
            and (cast($6 as text) is null or recipient = $6)
        order by alarm desc, id desc limit $3"
    );
    let before = before.map_or(dialect::ABOVE_ALL_IDS.into(), Into::into);
    let (channel, recipient) = (filter.channel.map(Channel::as_str).into(), filter.recipient.as_deref().into());
    let values: [Value<'_>; 7] =
        [org.into(), before, limit.into(), channel, filter.state.into(), recipient, filter.alarm.into()];
    let rows = match (filter.alarm, &filter.recipient, filter.state) {
        (Some(_), _, _) => tx.query(OF_ALARM, &values).await?,
        (None, Some(_), _) => tx.query(OF_RECIPIENT, &values[..6]).await?,
        (None, None, Some(_)) => tx.query(OF_STATE, &values[..5]).await?,
        (None, None, None) => tx.query(ALL, &values[..4]).await?,
    };
    rows.into_iter().map(read).collect()
}

/// Forgets up to `limit` notifications that were made before `before` and have come to their end, the oldest first.
/// Returns how many went.
pub async fn delete_before(tx: &mut Tx, before: Millis, limit: u32) -> Result<u64, StoreError> {
    // Whom it was told that something began that still stands, is to be told of its end.
    const SQL: &str = "delete from notifications where id in (select id from notifications n
        where created_at < $1 and due_at is null and state <> 'waiting'
            and not (opened = 1 and exists (select 1 from alarms a where a.id = n.alarm and a.resolved_at is null))
        order by created_at limit $2)";
    tx.execute(SQL, &[before.into(), limit.into()]).await
}

fn read_tells(row: &mut Columns) -> Result<Tells, StoreError> {
    Ok(Tells {
        event: row.number("event")?,
        alarm: row.id("alarm")?,
        alarm_rule: row.text("alarm_rule")?,
        severity: row.word("severity", Severity::parse)?,
        node: row.id_or_none("node")?,
        node_name: row.text_or_none("node_name")?,
        site: row.text_or_none("site")?,
        subject: row.text("subject")?,
        summary: row.text("summary")?,
        opened: row.flag("opened")?,
        at: row.millis("at")?,
    })
}

fn read(row: Row) -> Result<NotificationRow, StoreError> {
    let mut row = row.columns("notifications");
    let (id, org) = (row.id("id")?, row.id("org")?);
    let tells = read_tells(&mut row)?;
    let (recipient, channel, rule) = (row.text("recipient")?, row.word("channel", Channel::parse)?, row.text("rule")?);
    let (state, why) = (row.text("state")?, row.text_or_none("why")?);
    let (due_at, since) = (row.millis_or_none("due_at")?, row.millis_or_none("waits_since")?);
    let dispatch = row.id_or_none("dispatch")?;
    let (created_at, ended_at) = (row.millis("created_at")?, row.millis_or_none("ended_at")?);
    let state = match (state.as_str(), since, dispatch, ended_at) {
        ("waiting", Some(since), dispatch, None) => NotificationState::Waiting { since, dispatch },
        ("held_back", None, None, None) => NotificationState::HeldBack { due_at },
        ("sent" | "failed" | "given_up", _, Some(dispatch), Some(ended_at)) => {
            NotificationState::Over { how: state, dispatch, ended_at }
        }
        _ => return Err(row.corrupt("state", format!("is no state that can be ({state})"))),
    };
    Ok(NotificationRow { id, org, tells, recipient, channel, rule, state, why, created_at })
}
