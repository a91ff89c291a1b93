//! `/api/v1/settings`.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_wire::org_settings::{EvictOrgSettings, EvictedOrgSettings, OrgSetting, PutOrgSetting};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::{change, evict, list};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, PathOf, Routes};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::People, Need::May(Permission::SettingsRead), routes!(list_settings))
        .add(Audience::People, Need::May(Permission::SettingsRead), routes!(show_setting))
        .does(Audience::People, Need::May(Permission::SettingsWrite), Action::SettingsChange, routes!(put_setting))
        .does(Audience::People, Need::May(Permission::SettingsWrite), Action::SettingsChange, routes!(reset_setting))
        .does(Audience::People, Need::May(Permission::SettingsWrite), Action::SettingsEvict, routes!(evict_settings))
}

/// Lists every org setting with what holds, its default and its limits.
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings", responses((status = 200, body = Page<OrgSetting>)))]
async fn list_settings(State(app): State<Shared>, who: Principal) -> Result<Json<Page<OrgSetting>>, Fault> {
    Ok(Json(list::list(&app, &who).await?))
}

/// Shows one org setting.
#[utoipa::path(get, path = "/api/v1/settings/{key}", tag = "settings",
    params(("key" = String, Path, description = "Its key")), responses((status = 200, body = OrgSetting)))]
async fn show_setting(
    State(app): State<Shared>,
    who: Principal,
    PathOf(key): PathOf<String>,
) -> Result<Json<OrgSetting>, Fault> {
    Ok(Json(list::show(&app, &who, list::named(&key)?).await?))
}

/// Chooses what shall hold in the caller's org from now on.
#[utoipa::path(put, path = "/api/v1/settings/{key}", tag = "settings", request_body = PutOrgSetting,
    params(("key" = String, Path, description = "Its key")), responses((status = 200, body = OrgSetting)))]
async fn put_setting(
    State(app): State<Shared>,
    who: Principal,
    PathOf(key): PathOf<String>,
    body: Body<PutOrgSetting>,
) -> Result<Json<OrgSetting>, Fault> {
    Ok(Json(change::set(&app, who, list::named(&key)?, &body.value.value).await?))
}

/// Goes back to the default.
#[utoipa::path(delete, path = "/api/v1/settings/{key}", tag = "settings",
    params(("key" = String, Path, description = "Its key")), responses((status = 200, body = OrgSetting)))]
async fn reset_setting(
    State(app): State<Shared>,
    who: Principal,
    PathOf(key): PathOf<String>,
) -> Result<Json<OrgSetting>, Fault> {
    Ok(Json(change::reset(&app, who, list::named(&key)?).await?))
}

/// Makes every hub forget what it has in memory of one setting of the caller's org, or of all of them.
#[utoipa::path(post, path = "/api/v1/settings/evict", tag = "settings", request_body = EvictOrgSettings,
    responses((status = 200, body = EvictedOrgSettings)))]
async fn evict_settings(
    State(app): State<Shared>,
    who: Principal,
    body: Body<EvictOrgSettings>,
) -> Result<Json<EvictedOrgSettings>, Fault> {
    let setting = body.value.key.as_deref().map(list::named).transpose()?;
    Ok(Json(evict::evict(&app, who, setting).await?))
}
