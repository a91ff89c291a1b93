//! `/tasks/{trust_name}/…` and `/trust/{trust_name}/heartbeat`, and the routes of people that make nodes for
//! them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::TaskId;
use sortie_rules::limits::BATCH_BODY_BYTES_MAX;
use sortie_wire::trusts::{AddNode, AddedNode, TrustAlive, TrustReceipt, TrustResult, TrustTask};
use utoipa_axum::routes;

use super::{add, pending, result};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, NodeCaller, PathOf, Routes};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::People, Need::TrustKey, routes!(pending_tasks))
        .add(Audience::People, Need::TrustKey, routes!(submit_result))
        .add(Audience::People, Need::TrustKey, routes!(trust_heartbeat))
        .does(Audience::People, Need::May(Permission::AdmissionWrite), Action::NodeAdd, routes!(add_node))
        .does(Audience::People, Need::May(Permission::AdmissionWrite), Action::NodeChangeKey, routes!(change_node_key))
}

/// Hands out what waits for the trust, at most 50 tasks, and marks it `IN_PROGRESS`. With the setting
/// `trust_api`.
#[utoipa::path(get, path = "/tasks/{trust_name}/pending", tag = "trusts", params(("trust_name" = String, Path)),
    responses((status = 200, body = Vec<TrustTask>)))]
async fn pending_tasks(State(app): State<Shared>, caller: NodeCaller) -> Result<Json<Vec<TrustTask>>, Fault> {
    Ok(Json(pending::pending(&app, &caller).await?))
}

/// Reports the end of a task. A repeat of the same report is answered like the first. With the setting
/// `trust_api`.
#[utoipa::path(post, path = "/tasks/{trust_name}/{task_id}/result", tag = "trusts", request_body = TrustResult,
    params(("trust_name" = String, Path), ("task_id" = TaskId, Path)),
    responses((status = 200, body = TrustReceipt)))]
async fn submit_result(
    State(app): State<Shared>,
    caller: NodeCaller,
    path: PathOf<(String, TaskId)>,
    body: Body<TrustResult, BATCH_BODY_BYTES_MAX>,
) -> Result<Json<TrustReceipt>, Fault> {
    Ok(Json(result::take(&app, caller, path.0.1, body.value).await?))
}

/// Says that the trust is there. It renews nothing: a client that started anew has forgotten what it held.
/// With the setting `trust_api`.
#[utoipa::path(post, path = "/trust/{trust_name}/heartbeat", tag = "trusts", params(("trust_name" = String, Path)),
    responses((status = 200, body = TrustAlive)))]
async fn trust_heartbeat(_: NodeCaller) -> Json<TrustAlive> {
    Json(TrustAlive { status: "ok".to_owned() })
}

/// Makes a node for a client of the trust API; its key is shown this once.
#[utoipa::path(post, path = "/api/v1/nodes", tag = "nodes", request_body = AddNode,
    responses((status = 201, body = AddedNode)))]
async fn add_node(
    State(app): State<Shared>,
    who: Principal,
    body: Body<AddNode>,
) -> Result<(StatusCode, Json<AddedNode>), Fault> {
    Ok((StatusCode::CREATED, Json(add::add(&app, &who, body.value).await?)))
}

/// Gives a node of the trust API another key; the one before is void at once.
#[utoipa::path(post, path = "/api/v1/nodes/{node}/key", tag = "nodes",
    params(("node" = String, Path, description = "Name or id")), responses((status = 200, body = AddedNode)))]
async fn change_node_key(
    State(app): State<Shared>,
    who: Principal,
    PathOf(node): PathOf<String>,
) -> Result<Json<AddedNode>, Fault> {
    Ok(Json(add::change_key(&app, &who, &node).await?))
}
