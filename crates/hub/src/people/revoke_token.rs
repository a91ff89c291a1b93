//! Revokes an API token: from the next request on it is void.

use sortie_rules::access::{Keeper, Permissions, Role};
use sortie_rules::ids::TokenId;
use sortie_rules::time::Millis;
use sortie_store::tokens;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tokens::TokenDetails;

use super::create_token::details;
use super::keepers::not_the_last;
use super::principal::{Principal, holds};
use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};

/// Revokes a token. One that is revoked already stays as it is.
pub(crate) async fn revoke(app: &App, who: &Principal, id: TokenId, force: bool) -> Result<TokenDetails, Fault> {
    let (who, org, name, now) = (who.clone(), who.org, who.name.clone(), app.clock.now());
    let act = Act::by(&who, now)?.on("token", id);
    let has_provider = app.provider.is_some();
    let row = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let unknown = || refuse(ProblemCode::UnknownToken, "There is no such token.");
                let row = tokens::get(tx, id).await?.filter(|row| row.org == org).ok_or_else(unknown)?;
                who.may_give(holds(row.role, row.scopes, org), Permissions::NONE)?;
                if !force && keeps(&row, now) {
                    not_the_last(tx, org, Keeper::Token, has_provider, now).await?;
                }
                if tokens::revoke(tx, org, id, now).await? {
                    let data = serde_json::json!({ "token": id });
                    events::record(tx, Record::new(org, now, "token.revoked", &name).data(&data)).await?;
                    audit::record(tx, act.named(&row.name)).await?;
                }
                tokens::get(tx, id).await?.ok_or_else(unknown)
            })
        })
        .await?;
    app.people.forget(id);
    Ok(details(row))
}

/// Whether somebody administers the org with it.
fn keeps(row: &tokens::TokenRow, now: Millis) -> bool {
    let holds = row.revoked_at.is_none() && row.expires_at.is_none_or(|end| now < end);
    holds && row.role == Role::Admin && row.scopes.is_none()
}
