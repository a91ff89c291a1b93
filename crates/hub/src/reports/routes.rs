//! `/agent/v1/nodes/{node_id}/reports` and `/api/v1/nodes/{node}/reports`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sortie_rules::access::{Need, Permission};
use sortie_rules::ids::NodeId;
use sortie_rules::limits::REPORT_BYTES_MAX;
use sortie_wire::pages::Page;
use sortie_wire::reports::{Report, ReportQuery, SendReport};
use utoipa_axum::routes;

use super::{read, receive};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, NodeCaller, PathOf, QueryOf, Routes};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes.add(Audience::Agents, Need::Node, routes!(send_report)).add(
        Audience::People,
        Need::May(Permission::NodesRead),
        routes!(list_reports),
    )
}

/// Takes a report: facts that the node tells of itself.
#[utoipa::path(post, path = "/agent/v1/nodes/{node_id}/reports", tag = "desired", request_body = SendReport,
    params(("node_id" = NodeId, Path)), responses((status = 204)))]
async fn send_report(
    State(app): State<Shared>,
    caller: NodeCaller,
    body: Body<SendReport, REPORT_BYTES_MAX>,
) -> Result<StatusCode, Fault> {
    caller.still_stands(&app).await?;
    receive::receive(&app, &caller, body.value).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the newest report of each kind and subject of a node, or all of one kind and subject.
#[utoipa::path(get, path = "/api/v1/nodes/{node}/reports", tag = "nodes",
    params(("node" = String, Path), ReportQuery), responses((status = 200, body = Page<Report>)))]
async fn list_reports(
    State(app): State<Shared>,
    who: Principal,
    PathOf(node): PathOf<String>,
    QueryOf(query): QueryOf<ReportQuery>,
) -> Result<Json<Page<Report>>, Fault> {
    Ok(Json(read::list(&app, &who, &node, query).await?))
}
