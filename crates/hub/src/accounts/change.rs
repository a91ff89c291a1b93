//! Changes an account: by an administrator, or its own password by whoever it is. Either ends its sessions.

use std::net::IpAddr;

use sortie_rules::access::{Keeper, Role};
use sortie_rules::ids::{AccountId, SessionId};
use sortie_store::accounts::{self, AccountRow};
use sortie_store::sessions;
use sortie_wire::accounts::{Account, ChangeAccount};
use sortie_wire::problem::ProblemCode;
use sortie_wire::sessions::ChangePassword;

use super::create::{check, check_role, shown};
use super::sign_in::too_often;
use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::people::{Principal, Proof, holds, not_the_last};
use crate::sessions::subject_of;

fn unknown() -> Fault {
    refuse(ProblemCode::UnknownAccount, "There is no such account; `sortie account list` shows those there are.")
}

/// Changes what the request names.
pub(super) async fn change(
    app: &App,
    who: &Principal,
    id: AccountId,
    request: ChangeAccount,
) -> Result<Account, Fault> {
    let (org, now) = (who.org, app.clock.now());
    let row = app.store.read(move |tx| Box::pin(async move { accounts::get(tx, org, id).await })).await?;
    let row = row.ok_or_else(unknown)?;
    if let Some(role) = request.role {
        check_role(role)?;
    }
    let role = request.role.unwrap_or(row.role);
    who.may_give(holds(row.role, None, org), holds(role, None, org))?;
    let password_hash = match request.password {
        Some(password) => {
            check(&password, &row.name, "/password")?;
            Some(app.hashing.hash(&app.entropy, password).await?)
        }
        None => None,
    };
    let disabled_at = match request.disabled {
        Some(true) => row.disabled_at.or(Some(now)),
        Some(false) => None,
        None => row.disabled_at,
    };
    let data = serde_json::json!({
        "account": id, "name": row.name, "role": role, "disabled": disabled_at.is_some(),
        "password_changed": password_hash.is_some(),
    });
    let changed = AccountRow {
        role,
        disabled_at,
        password_hash: password_hash.unwrap_or_else(|| row.password_hash.clone()),
        ..row.clone()
    };
    write(app, who, (row, changed), request.force, None, data).await
}

/// Gives whoever asks another password. Their other sessions end.
pub(super) async fn change_own_password(
    app: &App,
    who: &Principal,
    address: IpAddr,
    request: ChangePassword,
) -> Result<Account, Fault> {
    let not_theirs = || {
        let detail = "Only somebody who signed in with a password of this hub's changes it here.";
        refuse(ProblemCode::Forbidden, detail)
    };
    let Proof::Session(session) = who.proof else { return Err(not_theirs()) };
    let org = who.org;
    let found = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let subject = sessions::get(tx, session).await?.map(|row| row.subject).unwrap_or_default();
                let account = subject.strip_prefix("account:").and_then(|id| id.parse::<AccountId>().ok());
                match account {
                    Some(id) => accounts::get(tx, org, id).await,
                    None => Ok(None),
                }
            })
        })
        .await?;
    let row = found.ok_or_else(not_theirs)?;
    check(&request.new, &row.name, "/new")?;
    // Whoever has only the session is slowed as whoever has nothing.
    app.slowing.begin(&row.name, address, app.clock.now()).map_err(too_often)?;
    if !app.hashing.fits(request.old, Some(row.password_hash.clone())).await? {
        return Err(refuse(ProblemCode::Forbidden, "The old password is another one."));
    }
    app.slowing.succeeded(&row.name, address);
    let password_hash = app.hashing.hash(&app.entropy, request.new).await?;
    let data = serde_json::json!({ "account": row.id, "name": row.name, "password_changed": true });
    let changed = AccountRow { password_hash, ..row.clone() };
    write(app, who, (row, changed), false, Some(session), data).await
}

/// Writes the change, unless another was quicker, and ends the account's sessions but for one.
async fn write(
    app: &App,
    who: &Principal,
    (before, after): (AccountRow, AccountRow),
    force: bool,
    but: Option<SessionId>,
    data: serde_json::Value,
) -> Result<Account, Fault> {
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("account", before.id).named(&before.name).changes(changes(&before, &after));
    let has_provider = app.provider.is_some();
    let written = after.clone();
    let ended = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                if !force && keeps(&before) && !keeps(&written) {
                    not_the_last(tx, org, Keeper::Account, has_provider, now).await?;
                }
                if !accounts::update(tx, &before, &written).await? {
                    return Err(refuse(ProblemCode::Conflict, "The change met another one; read again and repeat."));
                }
                events::record(tx, Record::new(org, now, "account.changed", &actor).data(&data)).await?;
                audit::record(tx, act).await?;
                let mut ended = Vec::new();
                for session in sessions::of_subject(tx, org, &subject_of(written.id)).await? {
                    if Some(session.id) != but {
                        crate::sessions::end_in(tx, &session, &actor, "account_changed", now).await?;
                        ended.push(session.id);
                    }
                }
                Ok::<_, Fault>(ended)
            })
        })
        .await?;
    ended.into_iter().for_each(|session| crate::sessions::forget(app, session));
    Ok(shown(after))
}

/// Whether somebody administers the org with it.
fn keeps(account: &AccountRow) -> bool {
    account.role == Role::Admin && account.disabled_at.is_none()
}

/// What becomes another, for the audit log. Of a password only that it does.
fn changes(before: &AccountRow, after: &AccountRow) -> serde_json::Value {
    let mut changes = serde_json::Map::new();
    if before.role != after.role {
        changes.insert("role".to_owned(), serde_json::json!({ "after": after.role, "before": before.role }));
    }
    if before.disabled_at.is_some() != after.disabled_at.is_some() {
        changes.insert("disabled".to_owned(), after.disabled_at.is_some().into());
    }
    if before.password_hash != after.password_hash {
        changes.insert("password".to_owned(), "another".into());
    }
    changes.into()
}
