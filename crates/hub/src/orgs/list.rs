//! Lists the orgs.

use sortie_rules::ids::OrgId;
use sortie_store::orgs;
use sortie_wire::orgs::Org;
use sortie_wire::pages::Page;

use super::create::shown;
use crate::app::App;
use crate::fault::Fault;
use crate::http::page;

/// One page of orgs, in the order of their ids.
pub(super) async fn list(app: &App, after: Option<OrgId>, limit: u32) -> Result<Page<Org>, Fault> {
    let rows = app.store.read(move |tx| Box::pin(async move { orgs::list(tx, after, limit + 1).await })).await?;
    Ok(page(rows, limit, |row| row.id.to_string(), shown))
}
