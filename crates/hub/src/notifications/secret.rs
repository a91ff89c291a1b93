//! The secrets with which calls of recipients' webhooks are signed: kept sealed, shown once.

use sortie_rules::ids::OrgId;
use sortie_store::recipients::RecipientRow;

use crate::app::App;
use crate::fault::Fault;
use crate::outgoing::SigningKey;

/// What a secret is, for the seal: nothing else is opened in its place.
fn noun(org: OrgId, name: &str, version: u64) -> String {
    format!("recipient-webhook/{org}/{name}/{version}")
}

/// A secret as it is kept.
pub(super) fn seal(app: &App, org: OrgId, name: &str, version: u64, secret: &str) -> Vec<u8> {
    app.keys.seal(&noun(org, name, version), secret.as_bytes())
}

/// With what a recipient's calls are signed, if it has a webhook.
pub(super) fn open(app: &App, row: &RecipientRow) -> Result<Option<SigningKey>, Fault> {
    let Some(sealed) = &row.secret else { return Ok(None) };
    let broken = || {
        let name = &row.name;
        Fault::Broken(format!(
            "the secret of `{name}` was sealed with another key than this hub's: was keys/ restored?"
        ))
    };
    let opened = app.keys.open(&noun(row.org, &row.name, row.secret_version), sealed).map_err(|_| broken())?;
    let text = String::from_utf8(opened).map_err(|_| broken())?;
    SigningKey::read(&text).map(Some).ok_or_else(broken)
}
