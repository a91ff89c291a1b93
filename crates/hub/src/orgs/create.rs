//! Makes an org and the token of its first administrator.

use sortie_rules::access::Role;
use sortie_rules::audit::Action;
use sortie_rules::ids::{DEFAULT_ORG, OrgId, TokenId};
use sortie_rules::names::check_name;
use sortie_store::orgs::{ID_TAKEN, NAME_TAKEN, OrgRow};
use sortie_store::{orgs, tokens};
use sortie_wire::orgs::{CreateOrg, CreatedOrg, Org};
use sortie_wire::problem::ProblemCode;
use sortie_wire::tokens::CreateToken;

use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::Once;
use crate::people::{Principal, create_token, given, shown_token};

/// Makes it. A repeated request is answered with the same org and the same token.
pub(super) async fn create(app: &App, who: &Principal, request: CreateOrg, once: Once) -> Result<CreatedOrg, Fault> {
    check_name("org", &request.name)
        .map_err(|error| refuse_at(ProblemCode::FieldInvalid, "/name", format!("{error}.")))?;
    let (name, now) = (who.name.clone(), app.clock.now());
    let (org, token): (OrgId, TokenId) = (request.id.unwrap_or_else(|| app.entropy.id(now)), app.entropy.id(now));
    let secret_hash = app.keys.secret_of("token", token).hash();
    let act = Act::by(who, now)?;
    let first = once.clone();
    let written = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(answer) = once.recall(tx).await? {
                    return remembered(tx, &answer).await;
                }
                once.remember(tx, &format!("{org} {token}"), now).await?;
                let row = OrgRow { id: org, name: request.name, created_at: now };
                orgs::insert(tx, &row).await?;
                let admin = CreateToken { name: "admin".to_owned(), role: Role::Admin, scopes: None, valid_for: None };
                let token = create_token(tx, secret_hash, org, &name, token, admin, now).await?;
                let data = serde_json::json!({ "org": org, "name": row.name });
                events::record(tx, Record::new(DEFAULT_ORG, now, "org.created", &name).data(&data)).await?;
                // The new org's own chain begins with who made its administrator.
                let first = act.clone().in_org(org).leads_to(Action::TokenCreate).on("token", token.id);
                audit::record(tx, first.named(&token.name).changes(given(&token))).await?;
                audit::record(tx, act.on("org", org).named(&row.name)).await?;
                Ok((row, token))
            })
        })
        .await;
    let written = written.map_err(|fault| match fault {
        Fault::Store(error) if error.is_taken(ID_TAKEN) || error.is_taken(NAME_TAKEN) => {
            refuse(ProblemCode::OrgExists, "An org of this name or id exists; `sortie org list` shows it.")
        }
        fault => fault,
    });
    let (row, token) = match written {
        Ok(rows) => rows,
        Err(refusal) => {
            let answer = first.recall_after(&app.store, refusal).await?;
            app.store.read(move |tx| Box::pin(async move { remembered(tx, &answer).await })).await?
        }
    };
    Ok(CreatedOrg { org: shown(row), admin: shown_token(&app.keys, token) })
}

async fn remembered(tx: &mut sortie_store::Tx, answer: &str) -> Result<(OrgRow, tokens::TokenRow), Fault> {
    let broken = || Fault::Broken("a remembered answer".to_owned());
    let (org, token) = answer.split_once(' ').ok_or_else(broken)?;
    let org = orgs::get(tx, org.parse().map_err(|_| broken())?).await?;
    let token = tokens::get(tx, token.parse().map_err(|_| broken())?).await?;
    org.zip(token).ok_or_else(broken)
}

/// An org as it is shown.
pub(super) fn shown(row: OrgRow) -> Org {
    Org { id: row.id, name: row.name, created_at: row.created_at }
}
