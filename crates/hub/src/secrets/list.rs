//! Shows which secrets there are.

use sortie_store::secrets::{self, SecretRow};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;
use sortie_wire::secrets::Secret;

use super::users;
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::http::page;
use crate::people::Principal;

/// What is answered for a secret that is not there.
pub(super) fn unknown(name: &str) -> Fault {
    let shown: String = name.chars().take(80).collect();
    refuse(ProblemCode::UnknownSecret, format!("There is no secret `{shown}`; `sortie secret list` lists them."))
}

/// One page of secrets, by name.
pub(super) async fn list(app: &App, who: &Principal, after: Option<String>, limit: u32) -> Result<Page<Secret>, Fault> {
    let org = who.org;
    let rows = app
        .store
        .read(move |tx| Box::pin(async move { secrets::list(tx, org, after.as_deref(), limit + 1).await }))
        .await?;
    Ok(page(rows, limit, |row| row.name.clone(), shown))
}

/// One secret, and which layers use it.
pub(super) async fn show(app: &App, who: &Principal, name: String) -> Result<Secret, Fault> {
    let org = who.org;
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let row = secrets::get(tx, org, &name).await?.ok_or_else(|| unknown(&name))?;
                let used_by = Some(users::of(tx, org, &name).await?);
                Ok::<_, Fault>(Secret { used_by, ..shown(row) })
            })
        })
        .await
}

/// A secret as people see it.
pub(super) fn shown(row: SecretRow) -> Secret {
    let SecretRow { name, version, changed_by, changed_at, .. } = row;
    Secret { name, version, changed_by, changed_at, used_by: None }
}
