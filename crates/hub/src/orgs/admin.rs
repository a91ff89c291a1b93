//! Makes a new administrator's token for an org that has lost its own.

use sortie_rules::access::Role;
use sortie_rules::audit::Action;
use sortie_rules::ids::{DEFAULT_ORG, OrgId, TokenId};
use sortie_store::{orgs, tokens};
use sortie_wire::problem::ProblemCode;
use sortie_wire::tokens::{CreateToken, CreatedToken};

use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::http::Once;
use crate::people::{Principal, create_token, given, shown_token};

/// Makes it. A repeated request is answered with the same token. It stands in both orgs' logs who did so.
pub(super) async fn make(app: &App, who: &Principal, org: OrgId, once: Once) -> Result<CreatedToken, Fault> {
    let (name, now) = (who.name.clone(), app.clock.now());
    let id: TokenId = app.entropy.id(now);
    let secret_hash = app.keys.secret_of("token", id).hash();
    let act = Act::by(who, now)?.on("org", org);
    let first = once.clone();
    let written = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(answer) = once.recall(tx).await? {
                    return remembered(tx, &answer).await;
                }
                let unknown = || refuse(ProblemCode::UnknownOrg, "There is no such org; `sortie org list` shows them.");
                let row = orgs::get(tx, org).await?.ok_or_else(unknown)?;
                once.remember(tx, &id.to_string(), now).await?;
                let admin = CreateToken { name: "admin".to_owned(), role: Role::Admin, scopes: None, valid_for: None };
                let token = create_token(tx, secret_hash, org, &name, id, admin, now).await?;
                let data = serde_json::json!({ "org": org, "name": row.name, "token": id });
                events::record(tx, Record::new(DEFAULT_ORG, now, "org.admin_made", &name).data(&data)).await?;
                let theirs = act.clone().in_org(org).leads_to(Action::TokenCreate).on("token", id);
                audit::record(tx, theirs.named(&token.name).changes(given(&token))).await?;
                audit::record(tx, act.named(&row.name).changes(serde_json::json!({ "token": id }))).await?;
                Ok(token)
            })
        })
        .await;
    let row = match written {
        Ok(row) => row,
        Err(refusal) => {
            let answer = first.recall_after(&app.store, refusal).await?;
            app.store.read(move |tx| Box::pin(async move { remembered(tx, &answer).await })).await?
        }
    };
    Ok(shown_token(&app.keys, row))
}

async fn remembered(tx: &mut sortie_store::Tx, answer: &str) -> Result<tokens::TokenRow, Fault> {
    let broken = || Fault::Broken("a remembered answer".to_owned());
    tokens::get(tx, answer.parse().map_err(|_| broken())?).await?.ok_or_else(broken)
}
