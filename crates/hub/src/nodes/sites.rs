//! Sites: named groups of nodes at one place.

use sortie_rules::config::nearest_few;
use sortie_rules::ids::OrgId;
use sortie_rules::names::check_name;
use sortie_rules::time::Millis;
use sortie_store::fields::Holder;
use sortie_store::sites::{self, SiteRow};
use sortie_store::{StoreError, Tx};
use sortie_wire::nodes::{PutSite, Site};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::page;
use crate::people::Principal;
use crate::post_steps::fields_of;

/// Keys that a mistyped one is compared with.
const COMPARED_MAX: u32 = 10_000;
/// Keys that are offered in place of a mistyped one.
const OFFERED_MAX: usize = 3;

/// What is answered for a site that is not there: which of the org's it may have meant, and how to make it.
pub(crate) async fn unknown(tx: &mut Tx, org: OrgId, key: &str) -> Result<Fault, StoreError> {
    let known = sites::list(tx, org, None, COMPARED_MAX).await?;
    let near = nearest_few(key, known.iter().map(|row| row.key.as_str()), OFFERED_MAX);
    let offered: Vec<String> = near.into_iter().map(|near| format!("`{near}`")).collect();
    let shown: String = key.chars().take(80).collect();
    let meant = match offered.is_empty() {
        true => "`sortie site list` lists those there are.".to_owned(),
        false => format!("did you mean {}?", offered.join(" or ")),
    };
    let how = match check_name("site", key) {
        Ok(()) => format!(" `sortie site put {key}` makes it."),
        Err(_) => String::new(),
    };
    Ok(refuse(ProblemCode::UnknownSite, format!("There is no site `{shown}`; {meant}{how}")))
}

/// Makes a site that a node or an invite names, under its key as its name; one that is there stays until the
/// transaction ends.
pub(crate) async fn make_if_missing(tx: &mut Tx, org: OrgId, key: &str, now: Millis) -> Result<(), StoreError> {
    if !sites::hold(tx, org, key).await? {
        let row = SiteRow { org, key: key.to_owned(), name: key.to_owned(), created_at: now };
        sites::upsert(tx, &row).await?;
    }
    Ok(())
}

/// Makes a site or gives it another name.
pub(crate) async fn put(app: &App, who: &Principal, key: String, request: PutSite) -> Result<Site, Fault> {
    check_name("site", &key).map_err(|error| refuse_at(ProblemCode::FieldInvalid, "/key", format!("{error}.")))?;
    if request.name.is_empty() || request.name.len() > 200 || request.name.chars().any(char::is_control) {
        let detail = "A site's name has 1 to 200 bytes and no control characters.";
        return Err(refuse_at(ProblemCode::FieldInvalid, "/name", detail));
    }
    let (org, actor, now) = (who.org, who.name.clone(), app.clock.now());
    let act = Act::by(who, now)?.on("site", &key);
    let row = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let before = sites::get(tx, org, &key).await?;
                let created_at = before.map_or(now, |row| row.created_at);
                let row = SiteRow { org, key, name: request.name, created_at };
                sites::upsert(tx, &row).await?;
                let data = serde_json::json!({ "site": row.key, "name": row.name });
                events::record(tx, Record::new(org, now, "site.changed", &actor).data(&data)).await?;
                audit::record(tx, act.named(&row.name)).await?;
                Ok::<_, Fault>(row)
            })
        })
        .await?;
    Ok(shown(row))
}

/// One site.
pub(crate) async fn show(app: &App, who: &Principal, key: String) -> Result<Site, Fault> {
    let org = who.org;
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let Some(row) = sites::get(tx, org, &key).await? else { return Err(unknown(tx, org, &key).await?) };
                let fields = fields_of(tx, org, &Holder::Site(key)).await?;
                Ok::<_, Fault>(Site { fields, ..shown(row) })
            })
        })
        .await
}

/// One page of sites, by key.
pub(crate) async fn list(app: &App, who: &Principal, after: Option<String>, limit: u32) -> Result<Page<Site>, Fault> {
    let org = who.org;
    let rows = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let mut rows = Vec::new();
                for row in sites::list(tx, org, after.as_deref(), limit + 1).await? {
                    let fields = fields_of(tx, org, &Holder::Site(row.key.clone())).await?;
                    rows.push((row, fields));
                }
                Ok::<_, Fault>(rows)
            })
        })
        .await?;
    Ok(page(rows, limit, |(row, _)| row.key.clone(), |(row, fields)| Site { fields, ..shown(row) }))
}

/// A site as people see it, without its fields.
pub(super) fn shown(row: SiteRow) -> Site {
    Site { key: row.key, name: row.name, created_at: row.created_at, fields: Vec::new() }
}
