//! `POST /agent/v1/nodes/{node_id}/refusals`.

use axum::extract::State;
use axum::http::StatusCode;
use sortie_rules::access::Need;
use sortie_rules::ids::NodeId;
use sortie_wire::refusals::RefusalReport;
use utoipa_axum::routes;

use super::receive;
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, NodeCaller, Routes};

/// Adds the route of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes.add(Audience::Agents, Need::Node, routes!(report_refusals))
}

/// Says which deliveries the agent refused as a whole, by reason. Said again it changes nothing.
#[utoipa::path(post, path = "/agent/v1/nodes/{node_id}/refusals", tag = "tasks", request_body = RefusalReport,
    params(("node_id" = NodeId, Path)), responses((status = 204, description = "Kept")))]
async fn report_refusals(
    State(app): State<Shared>,
    caller: NodeCaller,
    body: Body<RefusalReport>,
) -> Result<StatusCode, Fault> {
    receive::receive(&app, caller, body.value.refused).await?;
    Ok(StatusCode::NO_CONTENT)
}
