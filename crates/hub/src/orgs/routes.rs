//! `/api/v1/orgs`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::OrgId;
use sortie_wire::orgs::{CreateOrg, CreatedOrg, Org};
use sortie_wire::pages::Page;
use sortie_wire::tokens::CreatedToken;
use utoipa_axum::routes;

use super::{admin, create, list};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, Once, PageQuery, PathOf, QueryOf, Routes, page_size};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .does(Audience::People, Need::May(Permission::OrgsWrite), Action::OrgCreate, routes!(create_org))
        .does(Audience::People, Need::May(Permission::OrgsWrite), Action::OrgAdmin, routes!(make_org_admin))
        .add(Audience::People, Need::May(Permission::OrgsWrite), routes!(list_orgs))
}

/// Makes an org, and a token for its first administrator, which is shown this once.
#[utoipa::path(post, path = "/api/v1/orgs", tag = "people", request_body = CreateOrg,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat gets the same answer")),
    responses((status = 201, body = CreatedOrg)))]
async fn create_org(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    body: Body<CreateOrg>,
) -> Result<(StatusCode, Json<CreatedOrg>), Fault> {
    let once = Once::from_headers(&headers, &who, "POST /api/v1/orgs", &body.bytes)?;
    Ok((StatusCode::CREATED, Json(create::create(&app, &who, body.value, once).await?)))
}

/// Makes another token for an administrator of an org, which is shown this once: for an org that has lost its own.
#[utoipa::path(post, path = "/api/v1/orgs/{id}/admin", tag = "people",
    params(("id" = OrgId, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat gets the same answer")),
    responses((status = 201, body = CreatedToken)))]
async fn make_org_admin(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<OrgId>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<CreatedToken>), Fault> {
    let once = Once::from_headers(&headers, &who, "POST /api/v1/orgs/{id}/admin", id.to_string().as_bytes())?;
    Ok((StatusCode::CREATED, Json(admin::make(&app, &who, id, once).await?)))
}

/// Lists the orgs.
#[utoipa::path(get, path = "/api/v1/orgs", tag = "people", params(PageQuery<OrgId>),
    responses((status = 200, body = Page<Org>)))]
async fn list_orgs(
    State(app): State<Shared>,
    QueryOf(query): QueryOf<PageQuery<OrgId>>,
) -> Result<Json<Page<Org>>, Fault> {
    Ok(Json(list::list(&app, query.after, page_size(query.limit)?).await?))
}
