//! `/api/v1/maintenance`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::MaintenanceId;
use sortie_wire::maintenance::{Maintenance, MaintenanceQuery, StartMaintenance};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::{end, list, start};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, Once, PathOf, QueryOf, Routes};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    let (read, write) = (Need::May(Permission::NodesRead), Need::May(Permission::NodesWrite));
    routes
        .add(Audience::People, read, routes!(list_maintenance))
        .add(Audience::People, read, routes!(show_maintenance))
        .does(Audience::People, write, Action::MaintenanceStart, routes!(start_maintenance))
        .does(Audience::People, write, Action::MaintenanceEnd, routes!(end_maintenance))
}

/// Lists maintenance that is to come or under way, or all that there was.
#[utoipa::path(get, path = "/api/v1/maintenance", tag = "alarms", params(MaintenanceQuery),
    responses((status = 200, body = Page<Maintenance>)))]
async fn list_maintenance(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<MaintenanceQuery>,
) -> Result<Json<Page<Maintenance>>, Fault> {
    Ok(Json(list::list(&app, &who, query).await?))
}

/// Shows one maintenance.
#[utoipa::path(get, path = "/api/v1/maintenance/{id}", tag = "alarms",
    params(("id" = MaintenanceId, Path, description = "Its id")), responses((status = 200, body = Maintenance)))]
async fn show_maintenance(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<MaintenanceId>,
) -> Result<Json<Maintenance>, Fault> {
    Ok(Json(list::one(&app, &who, id).await?))
}

/// Announces maintenance of nodes, from now on or later: nobody is told what begins there until it is over.
#[utoipa::path(post, path = "/api/v1/maintenance", tag = "alarms", request_body = StartMaintenance,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat gets the same answer")),
    responses((status = 201, body = Maintenance)))]
async fn start_maintenance(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    body: Body<StartMaintenance>,
) -> Result<(StatusCode, Json<Maintenance>), Fault> {
    let once = Once::from_headers(&headers, &who, "POST /api/v1/maintenance", &body.bytes)?;
    Ok((StatusCode::CREATED, Json(start::start(&app, who, body.value, once).await?)))
}

/// Ends maintenance before its time, or calls it off: what began meanwhile and still stands is told.
#[utoipa::path(delete, path = "/api/v1/maintenance/{id}", tag = "alarms",
    params(("id" = MaintenanceId, Path, description = "Its id")), responses((status = 200, body = Maintenance)))]
async fn end_maintenance(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<MaintenanceId>,
) -> Result<Json<Maintenance>, Fault> {
    Ok(Json(end::end(&app, who, id).await?))
}
