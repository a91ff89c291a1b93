//! Lists API tokens, newest first.

use sortie_rules::ids::TokenId;
use sortie_store::tokens;
use sortie_wire::pages::Page;
use sortie_wire::tokens::TokenDetails;

use super::create_token::details;
use super::principal::Principal;
use crate::app::App;
use crate::fault::Fault;
use crate::http::page;

/// One page of tokens.
pub(crate) async fn list(
    app: &App,
    who: &Principal,
    after: Option<TokenId>,
    limit: u32,
) -> Result<Page<TokenDetails>, Fault> {
    let org = who.org;
    let rows = app.store.read(move |tx| Box::pin(async move { tokens::list(tx, org, after, limit + 1).await })).await?;
    let shown = |row| {
        let written = details(row);
        TokenDetails { last_used_at: app.people.used_since(written.id).or(written.last_used_at), ..written }
    };
    Ok(page(rows, limit, |row| row.id.to_string(), shown))
}
