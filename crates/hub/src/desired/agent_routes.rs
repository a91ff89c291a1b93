//! `/agent/v1/nodes/{node_id}/desired` and `…/observed`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sortie_rules::access::Need;
use sortie_rules::ids::NodeId;
use sortie_rules::limits::OBSERVED_BYTES_MAX;
use sortie_wire::desired::{DesiredAnswer, DesiredQuery, Observed};
use utoipa_axum::routes;

use super::{deliver, observe};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, NodeCaller, QueryOf, Routes};

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes.add(Audience::Agents, Need::Node, routes!(desired_of_node)).add(
        Audience::Agents,
        Need::Node,
        routes!(observed_by_node),
    )
}

/// What the node should be, if that is newer than what it has accepted: signed, with secrets sealed to the key that it
/// names.
#[utoipa::path(get, path = "/agent/v1/nodes/{node_id}/desired", tag = "desired",
    params(("node_id" = NodeId, Path), DesiredQuery), responses((status = 200, body = DesiredAnswer)))]
async fn desired_of_node(
    State(app): State<Shared>,
    caller: NodeCaller,
    QueryOf(query): QueryOf<DesiredQuery>,
) -> Result<Json<DesiredAnswer>, Fault> {
    Ok(Json(deliver::deliver(&app, &caller, query).await?))
}

/// Says how the node stands to what it should be.
#[utoipa::path(post, path = "/agent/v1/nodes/{node_id}/observed", tag = "desired", request_body = Observed,
    params(("node_id" = NodeId, Path)), responses((status = 204)))]
async fn observed_by_node(
    State(app): State<Shared>,
    caller: NodeCaller,
    body: Body<Observed, OBSERVED_BYTES_MAX>,
) -> Result<StatusCode, Fault> {
    caller.still_stands(&app).await?;
    observe::observe(&app, &caller, body.value).await?;
    Ok(StatusCode::NO_CONTENT)
}
