//! `tokens`: API tokens of people and services. Only a hash of the secret is stored.

use sortie_rules::access::{Permissions, Role};
use sortie_rules::ids::{OrgId, TokenId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// A token of this id stands already.
pub const ID_TAKEN: &str = "tokens_pkey";

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id, which is the public part of the token's text.
    pub id: TokenId,
    /// Whose it is.
    pub org: OrgId,
    /// What it is called.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// To what its holder is limited, if to anything.
    pub scopes: Option<Permissions>,
    /// The hash of its secret part.
    pub secret_hash: Vec<u8>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Millis,
    /// From when on it is worth nothing, if ever.
    pub expires_at: Option<Millis>,
    /// When it was withdrawn, if it was.
    pub revoked_at: Option<Millis>,
    /// When it was last used, to within a flush; a fact.
    pub last_used_at: Option<Millis>,
}

/// Adds a token.
pub async fn insert(tx: &mut Tx, token: &TokenRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into tokens
        (id, org, name, role, scopes, secret_hash, created_by, created_at, expires_at, revoked_at, last_used_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let scopes = token.scopes.map(|scopes| scopes.to_string());
    let values = [
        token.id.into(),
        token.org.into(),
        (&token.name).into(),
        token.role.as_str().into(),
        scopes.as_deref().into(),
        (&token.secret_hash).into(),
        (&token.created_by).into(),
        token.created_at.into(),
        token.expires_at.into(),
        token.revoked_at.into(),
        token.last_used_at.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// The token of this id, in whichever org: it is how the org of a request is found.
pub async fn get(tx: &mut Tx, id: TokenId) -> Result<Option<TokenRow>, StoreError> {
    const SQL: &str = "select
        id, org, name, role, scopes, secret_hash, created_by, created_at, expires_at, revoked_at, last_used_at
        from tokens where id = $1";
    tx.query_one_or_none(SQL, &[id.into()]).await?.map(read).transpose()
}

/// Up to `limit` tokens, newest first, that are older than `after`.
pub async fn list(tx: &mut Tx, org: OrgId, after: Option<TokenId>, limit: u32) -> Result<Vec<TokenRow>, StoreError> {
    const SQL: &str = "select
        id, org, name, role, scopes, secret_hash, created_by, created_at, expires_at, revoked_at, last_used_at
        from tokens where org = $1 and id < $2 order by id desc limit $3";
    let after = after.map_or(crate::dialect::ABOVE_ALL_IDS.into(), Into::into);
    tx.query(SQL, &[org.into(), after, limit.into()]).await?.into_iter().map(read).collect()
}

/// How many tokens of administrators an org has that hold now and are not limited by scopes.
pub async fn count_admins(tx: &mut Tx, org: OrgId, now: Millis) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from tokens where org = $1 and role = 'admin' and scopes is null
        and revoked_at is null and (expires_at is null or expires_at > $2)";
    let row = tx.query_one_or_none(SQL, &[org.into(), now.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("tokens").number("count"))
}

/// Withdraws a token. `false` if there is none, or it was withdrawn before.
pub async fn revoke(tx: &mut Tx, org: OrgId, id: TokenId, at: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update tokens set revoked_at = $3 where org = $1 and id = $2 and revoked_at is null";
    Ok(tx.execute(SQL, &[org.into(), id.into(), at.into()]).await? > 0)
}

/// Notes when tokens were last used, many at once. Never moves a note back.
pub async fn flush_used(tx: &mut Tx, used: &[(TokenId, Millis)]) -> Result<(), StoreError> {
    const SQL: &str = "update tokens set last_used_at = $2
        where id = $1 and (last_used_at is null or last_used_at < $2)";
    let rows: Vec<_> = used.iter().map(|(id, at)| [(*id).into(), (*at).into()]).collect();
    tx.execute_each(SQL, &rows).await.map(drop)
}

fn read(row: Row) -> Result<TokenRow, StoreError> {
    let mut row = row.columns("tokens");
    Ok(TokenRow {
        id: row.id("id")?,
        org: row.id("org")?,
        name: row.text("name")?,
        role: row.word("role", Role::parse)?,
        scopes: row.word_or_none("scopes", |text| text.parse().ok())?,
        secret_hash: row.bytes("secret_hash")?,
        created_by: row.text("created_by")?,
        created_at: row.millis("created_at")?,
        expires_at: row.millis_or_none("expires_at")?,
        revoked_at: row.millis_or_none("revoked_at")?,
        last_used_at: row.millis_or_none("last_used_at")?,
    })
}
