//! Seals secrets for the database, and opens them.

use sortie_rules::ids::OrgId;
use sortie_store::secrets::SecretRow;

use crate::app::App;
use crate::fault::Fault;

/// What a value is, for the seal: nothing else is opened in its place.
fn noun(org: OrgId, name: &str, version: u64) -> String {
    format!("org-secret/{org}/{name}/{version}")
}

/// A value as it is kept.
pub(super) fn seal(app: &App, org: OrgId, name: &str, version: u64, value: &str) -> Vec<u8> {
    app.keys.seal(&noun(org, name, version), value.as_bytes())
}

/// The value of a secret.
pub(crate) fn open(app: &App, row: &SecretRow) -> Result<Vec<u8>, Fault> {
    let opened = app.keys.open(&noun(row.org, &row.name, row.version), &row.sealed);
    opened.map_err(|_| {
        let name = &row.name;
        Fault::Broken(format!("the secret `{name}` was sealed with another key than this hub's: was keys/ restored?"))
    })
}
