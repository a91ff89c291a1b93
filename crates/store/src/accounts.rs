//! `accounts`: people who sign in with a password of this hub's. Only a slow hash of it is stored.

use sortie_rules::access::Role;
use sortie_rules::ids::{AccountId, OrgId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// An account of this name stands already, in whichever org.
pub const NAME_TAKEN: &str = "accounts_name";

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its id.
    pub id: AccountId,
    /// Whose it is.
    pub org: OrgId,
    /// The name that is typed to sign in; unique in the whole hub.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// The hash of its password, as a PHC string.
    pub password_hash: String,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Millis,
    /// Since when nobody signs in with it, if so.
    pub disabled_at: Option<Millis>,
    /// When somebody last signed in with it; a fact.
    pub signed_in_at: Option<Millis>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, org, name, role, password_hash, created_by, created_at, disabled_at, signed_in_at
            from accounts ",
            $rest
        )
    };
}

/// Adds an account. [`NAME_TAKEN`] if there is one of this name.
pub async fn insert(tx: &mut Tx, account: &AccountRow) -> Result<(), StoreError> {
    const SQL: &str = "insert into accounts
        (id, org, name, role, password_hash, created_by, created_at, disabled_at, signed_in_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let values = [
        account.id.into(),
        account.org.into(),
        (&account.name).into(),
        account.role.as_str().into(),
        (&account.password_hash).into(),
        (&account.created_by).into(),
        account.created_at.into(),
        account.disabled_at.into(),
        account.signed_in_at.into(),
    ];
    tx.execute(SQL, &values).await.map(drop)
}

/// The account of this name, in whichever org: it is how the org of a sign-in is found.
pub async fn named(tx: &mut Tx, name: &str) -> Result<Option<AccountRow>, StoreError> {
    const SQL: &str = select!("where name = $1");
    tx.query_one_or_none(SQL, &[name.into()]).await?.map(read).transpose()
}

/// The account of this id.
pub async fn get(tx: &mut Tx, org: OrgId, id: AccountId) -> Result<Option<AccountRow>, StoreError> {
    const SQL: &str = select!("where org = $1 and id = $2");
    tx.query_one_or_none(SQL, &[org.into(), id.into()]).await?.map(read).transpose()
}

/// Up to `limit` accounts in the order in which they were made, after `after`.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    after: Option<AccountId>,
    limit: u32,
) -> Result<Vec<AccountRow>, StoreError> {
    const SQL: &str = select!("where org = $1 and id > $2 order by id limit $3");
    let after = after.map_or("".into(), Into::into);
    tx.query(SQL, &[org.into(), after, limit.into()]).await?.into_iter().map(read).collect()
}

/// Writes what may change of an account: role, password, and whether it is disabled. `false` if it is not as
/// it was in `before` any more.
pub async fn update(tx: &mut Tx, before: &AccountRow, after: &AccountRow) -> Result<bool, StoreError> {
    const SQL: &str = "update accounts set role = $3, password_hash = $4, disabled_at = $5
        where org = $1 and id = $2 and role = $6 and password_hash = $7 and coalesce(disabled_at, 0) = $8";
    let values = [
        after.org.into(),
        after.id.into(),
        after.role.as_str().into(),
        (&after.password_hash).into(),
        after.disabled_at.into(),
        before.role.as_str().into(),
        (&before.password_hash).into(),
        before.disabled_at.unwrap_or(Millis(0)).into(),
    ];
    Ok(tx.execute(SQL, &values).await? > 0)
}

/// How many accounts of administrators an org has with which somebody may sign in.
pub async fn count_admins(tx: &mut Tx, org: OrgId) -> Result<u64, StoreError> {
    const SQL: &str = "select count(*) from accounts where org = $1 and role = 'admin' and disabled_at is null";
    let row = tx.query_one_or_none(SQL, &[org.into()]).await?;
    row.map_or(Ok(0), |row| row.columns("accounts").number("count"))
}

/// Notes that somebody signs in. `false` if the account is not as it was, or is disabled.
pub async fn sign_in(tx: &mut Tx, account: &AccountRow, at: Millis) -> Result<bool, StoreError> {
    const SQL: &str = "update accounts set signed_in_at = $2
        where id = $1 and role = $3 and password_hash = $4 and disabled_at is null";
    let values = [account.id.into(), at.into(), account.role.as_str().into(), (&account.password_hash).into()];
    Ok(tx.execute(SQL, &values).await? > 0)
}

fn read(row: Row) -> Result<AccountRow, StoreError> {
    let mut row = row.columns("accounts");
    Ok(AccountRow {
        id: row.id("id")?,
        org: row.id("org")?,
        name: row.text("name")?,
        role: row.word("role", Role::parse)?,
        password_hash: row.text("password_hash")?,
        created_by: row.text("created_by")?,
        created_at: row.millis("created_at")?,
        disabled_at: row.millis_or_none("disabled_at")?,
        signed_in_at: row.millis_or_none("signed_in_at")?,
    })
}
