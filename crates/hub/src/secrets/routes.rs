//! `/api/v1/secrets`.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::limits::{BODY_BYTES_MAX, SECRET_VALUE_BYTES_MAX};
use sortie_wire::pages::Page;
use sortie_wire::secrets::{Secret, WriteSecret};
use utoipa_axum::routes;

use super::{change, list};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, PageQuery, PathOf, QueryOf, Routes, page_size};
use crate::people::Principal;

/// A value of the largest size, however it is written as JSON.
const SECRET_BYTES_MAX: usize = 6 * SECRET_VALUE_BYTES_MAX + BODY_BYTES_MAX;
const READ: Need = Need::May(Permission::DesiredRead);
const WRITE: Need = Need::May(Permission::SecretsWrite);

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::People, READ, routes!(list_secrets))
        .add(Audience::People, READ, routes!(show_secret))
        .does(Audience::People, WRITE, Action::SecretWrite, routes!(write_secret))
        .does(Audience::People, WRITE, Action::SecretRemove, routes!(remove_secret))
}

/// Lists secrets by name, without their values.
#[utoipa::path(get, path = "/api/v1/secrets", tag = "desired", params(PageQuery<String>),
    responses((status = 200, body = Page<Secret>)))]
async fn list_secrets(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<PageQuery<String>>,
) -> Result<Json<Page<Secret>>, Fault> {
    let limit = page_size(query.limit)?;
    Ok(Json(list::list(&app, &who, query.after, limit).await?))
}

/// Shows when a secret got its value, from whom, and which layers use it; never the value.
#[utoipa::path(get, path = "/api/v1/secrets/{name}", tag = "desired", params(("name" = String, Path)),
    responses((status = 200, body = Secret)))]
async fn show_secret(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
) -> Result<Json<Secret>, Fault> {
    Ok(Json(list::show(&app, &who, name).await?))
}

/// Gives a secret its value. Nodes that use it get it anew.
#[utoipa::path(put, path = "/api/v1/secrets/{name}", tag = "desired", request_body = WriteSecret,
    params(("name" = String, Path)), responses((status = 200, body = Secret)))]
async fn write_secret(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
    body: Body<WriteSecret, SECRET_BYTES_MAX>,
) -> Result<Json<Secret>, Fault> {
    Ok(Json(change::put(&app, &who, name, body.value).await?))
}

/// Removes a secret that nothing uses.
#[utoipa::path(delete, path = "/api/v1/secrets/{name}", tag = "desired", params(("name" = String, Path)),
    responses((status = 200, body = Secret)))]
async fn remove_secret(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
) -> Result<Json<Secret>, Fault> {
    Ok(Json(change::delete(&app, &who, name).await?))
}
