//! `/api/v1/history` and `/api/v1/nodes/{node}/history`.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Permission};
use sortie_wire::history::{History, HistoryQuery};
use utoipa_axum::routes;

use super::read;
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, PathOf, QueryOf, Routes};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    let need = Need::May(Permission::NodesRead);
    routes.add(Audience::People, need, routes!(show_history)).add(Audience::People, need, routes!(show_node_history))
}

/// Shows what happened in the caller's org, hour by hour or day by day.
#[utoipa::path(get, path = "/api/v1/history", tag = "nodes", params(HistoryQuery),
    responses((status = 200, body = History)))]
async fn show_history(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<HistoryQuery>,
) -> Result<Json<History>, Fault> {
    Ok(Json(read::of_org(&app, &who, query).await?))
}

/// Shows what happened at a node, hour by hour or day by day.
#[utoipa::path(get, path = "/api/v1/nodes/{node}/history", tag = "nodes",
    params(("node" = String, Path, description = "Its name or id"), HistoryQuery),
    responses((status = 200, body = History)))]
async fn show_node_history(
    State(app): State<Shared>,
    who: Principal,
    PathOf(node): PathOf<String>,
    QueryOf(query): QueryOf<HistoryQuery>,
) -> Result<Json<History>, Fault> {
    Ok(Json(read::of_node(&app, &who, &node, query).await?))
}
