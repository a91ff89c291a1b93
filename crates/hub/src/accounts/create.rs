//! Makes an account.

use sortie_rules::access::{Permissions, Role};
use sortie_rules::ids::AccountId;
use sortie_rules::names::check_name;
use sortie_rules::passwords::check_password;
use sortie_store::accounts::{self, AccountRow, NAME_TAKEN};
use sortie_wire::accounts::{Account, CreateAccount, Password};
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::people::{Principal, holds};

/// Makes it. Its name is taken in the whole hub.
pub(super) async fn create(app: &App, who: &Principal, request: CreateAccount) -> Result<Account, Fault> {
    check_name("account", &request.name)
        .map_err(|error| refuse_at(ProblemCode::FieldInvalid, "/name", format!("{error}.")))?;
    check_role(request.role)?;
    check(&request.password, &request.name, "/password")?;
    who.may_give(Permissions::NONE, holds(request.role, None, who.org))?;
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let id: AccountId = app.entropy.id(now);
    let act = Act::by(who, now)?.on("account", id).named(&request.name);
    let password_hash = app.hashing.hash(&app.entropy, request.password).await?;
    let row = AccountRow {
        id,
        org,
        name: request.name,
        role: request.role,
        password_hash,
        created_by: actor.to_string(),
        created_at: now,
        disabled_at: None,
        signed_in_at: None,
    };
    let written = row.clone();
    let done = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                accounts::insert(tx, &written).await?;
                let data = serde_json::json!({ "account": id, "name": written.name, "role": written.role });
                events::record(tx, Record::new(org, now, "account.created", &actor).data(&data)).await?;
                audit::record(tx, act.changes(serde_json::json!({ "role": written.role }))).await?;
                Ok::<_, Fault>(())
            })
        })
        .await;
    match done {
        Ok(()) => Ok(shown(row)),
        Err(Fault::Store(error)) if error.is_taken(NAME_TAKEN) => {
            Err(refuse(ProblemCode::AccountExists, "An account of this name exists in this hub; take another name."))
        }
        Err(fault) => Err(fault),
    }
}

/// Programs have tokens, not passwords.
pub(super) fn check_role(role: Role) -> Result<(), Fault> {
    if role == Role::Service {
        let detail =
            "An account is a person's: viewer, operator or admin. A program gets a token: `sortie token create`.";
        return Err(refuse_at(ProblemCode::FieldInvalid, "/role", detail));
    }
    Ok(())
}

/// Refuses a password that is not good enough.
pub(super) fn check(password: &Password, name: &str, pointer: &str) -> Result<(), Fault> {
    check_password(&password.0, name).map_err(|bad| {
        let mut sentence = bad.to_string();
        sentence[..1].make_ascii_uppercase();
        refuse_at(ProblemCode::FieldInvalid, pointer, format!("{sentence}."))
    })
}

/// An account as it is shown.
pub(super) fn shown(row: AccountRow) -> Account {
    Account {
        id: row.id,
        name: row.name,
        role: row.role,
        created_by: row.created_by,
        created_at: row.created_at,
        disabled_at: row.disabled_at,
        signed_in_at: row.signed_in_at,
    }
}
