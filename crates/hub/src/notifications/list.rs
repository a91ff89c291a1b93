//! Shows recipients.

use sortie_store::recipients::{self, RecipientRow};
use sortie_wire::notifications::RecipientInUse;
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::http::page;
use crate::people::Principal;

/// What is answered for a recipient that is not there.
pub(super) fn unknown(name: &str) -> Fault {
    let shown: String = name.chars().take(80).collect();
    let detail = format!("There is no recipient `{shown}`; `sortie recipient list` shows those there are.");
    refuse(ProblemCode::UnknownRecipient, detail)
}

/// One page of recipients, by name.
pub(super) async fn list(
    app: &App,
    who: &Principal,
    after: Option<String>,
    limit: u32,
) -> Result<Page<RecipientInUse>, Fault> {
    let org = who.org;
    let rows = app
        .store
        .read(move |tx| Box::pin(async move { recipients::list(tx, org, after.as_deref(), limit + 1).await }))
        .await?;
    Ok(page(rows, limit, |row| row.name.clone(), shown))
}

/// One recipient.
pub(super) async fn one(app: &App, who: &Principal, name: String) -> Result<RecipientInUse, Fault> {
    let (org, asked) = (who.org, name.clone());
    let row = app.store.read(move |tx| Box::pin(async move { recipients::get(tx, org, &asked).await })).await?;
    row.map(shown).ok_or_else(|| unknown(&name))
}

/// A recipient as people see it: never with its secret.
pub(super) fn shown(row: RecipientRow) -> RecipientInUse {
    RecipientInUse {
        name: row.name,
        recipient: serde_json::from_str(&row.recipient).unwrap_or_default(),
        webhook_secret: None,
        webhook_gone_at: row.webhook_gone_at,
        changed_by: row.changed_by,
        changed_at: row.changed_at,
    }
}
