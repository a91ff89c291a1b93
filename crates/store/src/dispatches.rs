//! `dispatches`: what goes out at once to one recipient on one channel.

use sortie_rules::ids::{DispatchId, OrgId};
use sortie_rules::notifications::{Channel, Dispatch, DispatchState};
use sortie_rules::time::Millis;

use crate::dialect;
use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// A dispatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchRow {
    /// Identifies it, over every try.
    pub id: DispatchId,
    /// Whose it is.
    pub org: OrgId,
    /// To whom it goes.
    pub recipient: String,
    /// By which way.
    pub channel: Channel,
    /// Whether it tells of nothing: somebody wants to see whether it arrives.
    pub is_test: bool,
    /// How many notifications it is made of.
    pub count: u64,
    /// Where it stands.
    pub life: Dispatch,
    /// When it was made.
    pub created_at: Millis,
    /// When it came to its end.
    pub ended_at: Option<Millis>,
    /// Why the last try failed, in a word.
    pub code: Option<String>,
    /// The same in a sentence.
    pub why: Option<String>,
    /// In whose console it stands, and what stands there.
    pub console: Option<ConsoleText>,
}

/// What stands in somebody's console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleText {
    /// Whose: a principal's subject.
    pub person: String,
    /// The line by which it is told from others.
    pub title: String,
    /// The text.
    pub text: String,
    /// When it was read.
    pub read_at: Option<Millis>,
}

macro_rules! columns {
    () => {
        "id, org, recipient, channel, state, is_test, count, tries, since, next_at, created_at, ended_at, code, why,
            person, title, text, read_at"
    };
}

/// Adds a dispatch.
pub async fn insert(tx: &mut Tx, row: &DispatchRow) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "insert into dispatches (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
    );
    let console = row.console.as_ref();
    let values = [
        row.id.into(),
        row.org.into(),
        (&row.recipient).into(),
        row.channel.as_str().into(),
        row.life.state.as_str().into(),
        row.is_test.into(),
        row.count.into(),
        row.life.tries.into(),
        row.life.since.into(),
        next_at(row.life.state).into(),
        row.created_at.into(),
        row.ended_at.into(),
        row.code.as_deref().into(),
        row.why.as_deref().into(),
        console.map(|console| console.person.as_str()).into(),
        console.map(|console| console.title.as_str()).into(),
        console.map(|console| console.text.as_str()).into(),
        console.and_then(|console| console.read_at).into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// One dispatch.
pub async fn get(tx: &mut Tx, id: DispatchId) -> Result<Option<DispatchRow>, StoreError> {
    const SQL: &str = concat!("select ", columns!(), " from dispatches where id = $1");
    tx.query_one_or_none(SQL, &[id.into()]).await?.map(read).transpose()
}

/// Up to `limit` dispatches of all orgs by this way that are due at `now`, the longest due first. Those to one
/// recipient go one after the other, so that nobody hears of an end before its beginning: one is left out while an
/// older one still waits. Tests neither wait nor are waited for.
pub async fn due_by(tx: &mut Tx, channel: Channel, now: Millis, limit: u32) -> Result<Vec<DispatchRow>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        columns!(),
        " from dispatches d where channel = $1 and next_at <= $2
            and (is_test = 1 or id = (select o.id from dispatches o
                where o.org = d.org and o.recipient = d.recipient and o.channel = d.channel
                    and o.next_at is not null and o.is_test = 0
                order by o.id limit 1))
        order by next_at limit $3"
    );
    tx.query(SQL, &[channel.as_str().into(), now.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Writes down what became of a dispatch, and what stands in a console of it. `false` if it does not stand as `before`
/// any more.
pub async fn update(tx: &mut Tx, before: &Dispatch, after: &DispatchRow) -> Result<bool, StoreError> {
    const SQL: &str = "update dispatches set state = $2, tries = $3, since = $4, next_at = $5, ended_at = $6,
            code = $7, why = $8, person = $9, title = $10, text = $11
        where id = $1 and state = $12 and tries = $13";
    let console = after.console.as_ref();
    let values = [
        after.id.into(),
        after.life.state.as_str().into(),
        after.life.tries.into(),
        after.life.since.into(),
        next_at(after.life.state).into(),
        after.ended_at.into(),
        after.code.as_deref().into(),
        after.why.as_deref().into(),
        console.map(|console| console.person.as_str()).into(),
        console.map(|console| console.title.as_str()).into(),
        console.map(|console| console.text.as_str()).into(),
        before.state.as_str().into(),
        before.tries.into(),
    ];
    Ok(tx.execute(SQL, &values).await? == 1)
}

/// When the last dispatches were made for this recipient and way, the newest first, up to `limit`.
pub async fn last_made(
    tx: &mut Tx,
    org: OrgId,
    recipient: &str,
    channel: Channel,
    limit: u32,
) -> Result<Vec<Millis>, StoreError> {
    const SQL: &str = "select created_at from dispatches where org = $1 and recipient = $2 and channel = $3
        order by created_at desc limit $4";
    let rows = tx.query(SQL, &[org.into(), recipient.into(), channel.as_str().into(), limit.into()]).await?;
    rows.into_iter().map(|row| row.columns("dispatches").millis("created_at")).collect()
}

/// Up to `limit` of what stands in somebody's console, the newest first, below the id `before`.
pub async fn of_person(
    tx: &mut Tx,
    (org, person): (OrgId, &str),
    unread: bool,
    before: Option<DispatchId>,
    limit: u32,
) -> Result<Vec<DispatchRow>, StoreError> {
    const ALL: &str = concat!(
        "select ",
        columns!(),
        " from dispatches where org = $1 and person = $2 and id < $3 order by id desc limit $4"
    );
    const UNREAD: &str = concat!(
        "select ",
        columns!(),
        " from dispatches where org = $1 and person = $2 and read_at is null and id < $3 order by id desc limit $4"
    );
    let before = before.map_or(dialect::ABOVE_ALL_IDS.into(), Into::into);
    let values = [org.into(), person.into(), before, limit.into()];
    tx.query(if unread { UNREAD } else { ALL }, &values).await?.into_iter().map(read).collect()
}

/// How much of what stands in somebody's console was not read.
pub async fn unread(tx: &mut Tx, org: OrgId, person: &str) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from dispatches where org = $1 and person = $2 and read_at is null";
    let row = tx.query_one_or_none(SQL, &[org.into(), person.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("dispatches").number("count"))
}

/// Marks one of somebody's as read. `false` if they have none of this id, or have read it.
pub async fn read_one(tx: &mut Tx, org: OrgId, person: &str, id: DispatchId, now: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update dispatches set read_at = $4
        where id = $3 and org = $1 and person = $2 and read_at is null";
    Ok(tx.execute(SQL, &[org.into(), person.into(), id.into(), now.into()]).await? == 1)
}

/// Marks as read what stands in somebody's console up to this one. Returns how many were not.
pub async fn read_until(
    tx: &mut Tx,
    org: OrgId,
    person: &str,
    until: DispatchId,
    now: Millis,
) -> Result<u64, StoreError> {
    const SQL: &str = "update dispatches set read_at = $4
        where org = $1 and person = $2 and id <= $3 and read_at is null";
    tx.execute(SQL, &[org.into(), person.into(), until.into(), now.into()]).await
}

/// Forgets up to `limit` dispatches that were made before `before` and are over, the oldest first. Returns how many
/// went.
pub async fn delete_before(tx: &mut Tx, before: Millis, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "delete from dispatches where id in (select id from dispatches
        where created_at < $1 and next_at is null order by created_at limit $2)";
    tx.execute(SQL, &[before.into(), limit.into()]).await
}

fn next_at(state: DispatchState) -> Option<Millis> {
    match state {
        DispatchState::Waiting { next_at } => Some(next_at),
        DispatchState::Sent | DispatchState::Failed | DispatchState::GivenUp => None,
    }
}

fn read(row: Row) -> Result<DispatchRow, StoreError> {
    let mut row = row.columns("dispatches");
    let (id, org, recipient) = (row.id("id")?, row.id("org")?, row.text("recipient")?);
    let (channel, state) = (row.word("channel", Channel::parse)?, row.text("state")?);
    let (is_test, count) = (row.flag("is_test")?, row.number("count")?);
    let (tries, since, next_at) = (row.number("tries")?, row.millis("since")?, row.millis_or_none("next_at")?);
    let state = match (state.as_str(), next_at) {
        ("waiting", Some(next_at)) => DispatchState::Waiting { next_at },
        ("sent", None) => DispatchState::Sent,
        ("failed", None) => DispatchState::Failed,
        ("given_up", None) => DispatchState::GivenUp,
        _ => return Err(row.corrupt("state", format!("is a word without sense ({state})"))),
    };
    let (created_at, ended_at) = (row.millis("created_at")?, row.millis_or_none("ended_at")?);
    let (code, why) = (row.text_or_none("code")?, row.text_or_none("why")?);
    let console = match row.text_or_none("person")? {
        Some(person) => Some(ConsoleText {
            person,
            title: row.text("title")?,
            text: row.text("text")?,
            read_at: row.millis_or_none("read_at")?,
        }),
        None => None,
    };
    Ok(DispatchRow {
        id,
        org,
        recipient,
        channel,
        is_test,
        count,
        life: Dispatch { state, tries, since },
        created_at,
        ended_at,
        code,
        why,
        console,
    })
}
