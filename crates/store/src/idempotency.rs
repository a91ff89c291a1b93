//! `idempotency`: what was answered to an `Idempotency-Key`, so that a retry gets the same answer.

use std::collections::BTreeSet;

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::tx::Tx;
use crate::value::Value;

/// This principal has used this key before.
pub const KEY_TAKEN: &str = "idempotency_pkey";

/// What is remembered of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRow {
    /// The route that the key was used with.
    pub route: String,
    /// The hash of the request's body.
    pub body_hash: Vec<u8>,
    /// The answer as it was given.
    pub answer: String,
    /// When.
    pub created_at: Millis,
}

/// An answer that is to be remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered<'a> {
    /// In which org.
    pub org: OrgId,
    /// Whose key it is.
    pub principal: &'a str,
    /// The key.
    pub key: &'a str,
    /// The route that it was used with.
    pub route: &'a str,
    /// The hash of the request's body.
    pub body_hash: &'a [u8],
    /// The answer as it is given.
    pub answer: &'a str,
    /// When.
    pub at: Millis,
}

macro_rules! remember {
    () => {
        "insert into idempotency (org, principal, key, route, body_hash, answer, created_at)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict (org, principal, key) do nothing"
    };
}
const REMEMBER: &str = remember!();

/// Remembers an answer, in the transaction that made it true. [`KEY_TAKEN`] if the key was used:
/// another request with the same key was quicker, and its answer is the one to [`recall`].
///
/// The refusal does not spoil the transaction: `recall` works in the same one.
pub async fn remember(tx: &mut Tx, answer: Remembered<'_>) -> Result<(), StoreError> {
    match tx.execute(REMEMBER, &values(&answer)).await? {
        0 => Err(StoreError::Unique { constraint: KEY_TAKEN }),
        _ => Ok(()),
    }
}

/// The same for many. Says of each whether it was remembered; of two with one key, the first may be.
pub async fn remember_all(tx: &mut Tx, answers: &[Remembered<'_>]) -> Result<Vec<bool>, StoreError> {
    const SQL: &str = concat!(remember!(), " returning org, principal, key");
    let rows: Vec<[Value<'_>; 7]> = answers.iter().map(values).collect();
    let mut kept: BTreeSet<(OrgId, String, String)> = BTreeSet::new();
    for row in tx.query_each(SQL, &rows).await? {
        let mut row = row.columns("idempotency");
        kept.insert((row.id("org")?, row.text("principal")?, row.text("key")?));
    }
    let is_kept =
        |answer: &Remembered<'_>| kept.remove(&(answer.org, answer.principal.to_owned(), answer.key.to_owned()));
    Ok(answers.iter().map(is_kept).collect())
}

fn values<'a>(answer: &Remembered<'a>) -> [Value<'a>; 7] {
    let Remembered { org, principal, key, route, body_hash, answer, at } = *answer;
    [org.into(), principal.into(), key.into(), route.into(), body_hash.into(), answer.into(), at.into()]
}

/// What was answered to this principal's key.
pub async fn recall(tx: &mut Tx, org: OrgId, principal: &str, key: &str) -> Result<Option<IdempotencyRow>, StoreError> {
    const SQL: &str = "select route, body_hash, answer, created_at from idempotency
        where org = $1 and principal = $2 and key = $3";
    let row = tx.query_one_or_none(SQL, &[org.into(), principal.into(), key.into()]).await?;
    row.map(|row| {
        let mut row = row.columns("idempotency");
        Ok(IdempotencyRow {
            route: row.text("route")?,
            body_hash: row.bytes("body_hash")?,
            answer: row.text("answer")?,
            created_at: row.millis("created_at")?,
        })
    })
    .transpose()
}

/// Forgets what was answered before `before`. Returns how many keys that were.
pub async fn forget_older(tx: &mut Tx, before: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "delete from idempotency where created_at < $1";
    tx.execute(SQL, &[before.into()]).await
}
