//! `sessions`: who is signed in to the console. Only hashes of the cookies' secrets are stored.

use sortie_rules::access::Role;
use sortie_rules::ids::{OrgId, SessionId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id, which is the public part of the cookie.
    pub id: SessionId,
    /// Whose it is.
    pub org: OrgId,
    /// Who signed in: `account:ID`, or `oidc:SUBJECT`.
    pub subject: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The hash of the secret that holds.
    pub secret_hash: Vec<u8>,
    /// The hash of the secret before it.
    pub previous_hash: Option<Vec<u8>>,
    /// When the secret was last replaced.
    pub rotated_at: Millis,
    /// Whether the secret that holds has been shown since.
    pub confirmed: bool,
    /// What is needed to sign out at the provider, sealed.
    pub provider: Option<Vec<u8>>,
    /// When it began.
    pub created_at: Millis,
    /// When it was last used, to within a flush; a fact.
    pub last_used_at: Millis,
    /// When it ends, whatever happens.
    pub ends_at: Millis,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, org, subject, name, role, secret_hash, previous_hash, rotated_at, confirmed, provider, \
            created_at, last_used_at, ends_at from sessions ",
            $rest
        )
    };
}

/// Adds a session.
pub async fn insert(tx: &mut Tx, session: &SessionRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into sessions
        (id, org, subject, name, role, secret_hash, previous_hash, rotated_at, confirmed, provider, created_at,
        last_used_at, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let values = [
        session.id.into(),
        session.org.into(),
        (&session.subject).into(),
        (&session.name).into(),
        session.role.as_str().into(),
        (&session.secret_hash).into(),
        session.previous_hash.as_ref().into(),
        session.rotated_at.into(),
        session.confirmed.into(),
        session.provider.as_ref().into(),
        session.created_at.into(),
        session.last_used_at.into(),
        session.ends_at.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// The session of this id, in whichever org: it is how the org of a request is found.
pub async fn get(tx: &mut Tx, id: SessionId) -> Result<Option<SessionRow>, StoreError> {
    const SQL: &str = select!("where id = $1");
    tx.query_one_or_none(SQL, &[id.into()]).await?.map(read).transpose()
}

/// Up to `limit` sessions, newest first, that are older than `before`.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    before: Option<SessionId>,
    limit: u32,
) -> Result<Vec<SessionRow>, StoreError> {
    const SQL: &str = select!("where org = $1 and id < $2 order by id desc limit $3");
    let before = before.map_or(crate::dialect::ABOVE_ALL_IDS.into(), Into::into);
    tx.query(SQL, &[org.into(), before, limit.into()]).await?.into_iter().map(read).collect()
}

/// The sessions of one subject.
pub async fn of_subject(tx: &mut Tx, org: OrgId, subject: &str) -> Result<Vec<SessionRow>, StoreError> {
    const SQL: &str = select!("where subject = $1 and org = $2 order by id");
    tx.query(SQL, &[subject.into(), org.into()]).await?.into_iter().map(read).collect()
}

/// Replaces the secret, if `old` is the one that holds. `false` if another request was quicker.
pub async fn rotate(tx: &mut Tx, id: SessionId, old: &[u8], new: &[u8], at: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update sessions set secret_hash = $3, previous_hash = $2, rotated_at = $4, confirmed = 0
        where id = $1 and secret_hash = $2";
    Ok(tx.execute(SQL, &[id.into(), old.into(), new.into(), at.into()]).await? > 0)
}

/// Notes that the secret of this hash has been shown.
pub async fn confirm(tx: &mut Tx, id: SessionId, hash: &[u8]) -> Result<(), StoreError> {
    const SQL: &str = "update sessions set confirmed = 1 where id = $1 and secret_hash = $2";
    tx.execute(SQL, &[id.into(), hash.into()]).await.map(drop)
}

/// Notes when sessions were last used, many at once. Never moves a note back.
pub async fn flush_used(tx: &mut Tx, used: &[(SessionId, Millis)]) -> Result<(), StoreError> {
    const SQL: &str = "update sessions set last_used_at = $2 where id = $1 and last_used_at < $2";
    let rows: Vec<_> = used.iter().map(|(id, at)| [(*id).into(), (*at).into()]).collect();
    tx.execute_each(SQL, &rows).await.map(drop)
}

/// Ends a session. `false` if there is none.
pub async fn delete(tx: &mut Tx, id: SessionId) -> Result<bool, StoreError> {
    Ok(tx.execute("delete from sessions where id = $1", &[id.into()]).await? > 0)
}

/// Deletes up to `limit` sessions that ended before `at`. Returns how many.
pub async fn forget_ended(tx: &mut Tx, at: Millis, limit: u32) -> Result<u64, StoreError> {
    const SQL: &str = "delete from sessions where id in
        (select id from sessions where ends_at <= $1 order by ends_at limit $2)";
    tx.execute(SQL, &[at.into(), limit.into()]).await
}

fn read(row: Row) -> Result<SessionRow, StoreError> {
    let mut row = row.columns("sessions");
    Ok(SessionRow {
        id: row.id("id")?,
        org: row.id("org")?,
        subject: row.text("subject")?,
        name: row.text("name")?,
        role: row.word("role", Role::parse)?,
        secret_hash: row.bytes("secret_hash")?,
        previous_hash: row.bytes_or_none("previous_hash")?,
        rotated_at: row.millis("rotated_at")?,
        confirmed: row.flag("confirmed")?,
        provider: row.bytes_or_none("provider")?,
        created_at: row.millis("created_at")?,
        last_used_at: row.millis("last_used_at")?,
        ends_at: row.millis("ends_at")?,
    })
}
