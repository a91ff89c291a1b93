//! Lists accounts, oldest first.

use sortie_rules::ids::AccountId;
use sortie_store::accounts;
use sortie_wire::accounts::Account;
use sortie_wire::pages::Page;

use super::create::shown;
use crate::app::App;
use crate::fault::Fault;
use crate::http::page;
use crate::people::Principal;

/// One page of accounts.
pub(super) async fn list(
    app: &App,
    who: &Principal,
    after: Option<AccountId>,
    limit: u32,
) -> Result<Page<Account>, Fault> {
    let org = who.org;
    let rows =
        app.store.read(move |tx| Box::pin(async move { accounts::list(tx, org, after, limit + 1).await })).await?;
    Ok(page(rows, limit, |row| row.id.to_string(), shown))
}
