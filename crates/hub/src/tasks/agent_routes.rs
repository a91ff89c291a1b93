//! `/agent/v1/nodes/{node_id}/…`: what an agent asks and reports.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::Need;
use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::limits::{BATCH_BODY_BYTES_MAX, HELD_TASKS_MAX, RESULTS_PER_BATCH_MAX};
use sortie_wire::deliveries::WaitQuery;
use sortie_wire::envelope::Envelope;
use sortie_wire::heartbeat::{Heartbeat, Pulse};
use sortie_wire::problem::ProblemCode;
use sortie_wire::results::{Receipt, Receipts, ResultBatch, RunResult};
use utoipa_axum::routes;

use super::{finish, renew, wait};
use crate::app::Shared;
use crate::fault::{Fault, refuse_at};
use crate::http::{Audience, Body, NodeCaller, PathOf, QueryOf, Routes};

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::Agents, Need::Node, routes!(wait_for_tasks))
        .add(Audience::Agents, Need::Node, routes!(report_result))
        .add(Audience::Agents, Need::Node, routes!(report_results))
        .add(Audience::Agents, Need::Node, routes!(heartbeat))
}

/// Waits for work and news. The answer is a signed delivery, which may be empty.
#[utoipa::path(
    get, path = "/agent/v1/nodes/{node_id}/tasks/wait", tag = "tasks",
    params(("node_id" = NodeId, Path), WaitQuery),
    responses((status = 200, description = "A signed delivery", body = Envelope)),
)]
async fn wait_for_tasks(
    State(app): State<Shared>,
    caller: NodeCaller,
    QueryOf(query): QueryOf<WaitQuery>,
) -> Result<Json<Envelope>, Fault> {
    Ok(Json(wait::wait(&app, &caller, query).await?))
}

/// Reports the end of one run. A repeat of the same report is answered like the first.
#[utoipa::path(post, path = "/agent/v1/nodes/{node_id}/tasks/{task_id}/result", tag = "tasks", request_body = RunResult,
    params(("node_id" = NodeId, Path), ("task_id" = TaskId, Path)), responses((status = 200, body = Receipt)))]
async fn report_result(
    State(app): State<Shared>,
    caller: NodeCaller,
    path: PathOf<(NodeId, TaskId)>,
    body: Body<RunResult, BATCH_BODY_BYTES_MAX>,
) -> Result<Json<Receipt>, Fault> {
    if body.value.task != path.0.1 {
        return Err(refuse_at(ProblemCode::FieldInvalid, "/task", "The body names another task than the path."));
    }
    let receipts = finish::finish_all(&app, caller, vec![body.value]).await?;
    let receipt = receipts.into_iter().next().ok_or_else(|| Fault::Broken("a result without a receipt".to_owned()))?;
    match receipt.refused {
        Some(problem) => Err(problem.into()),
        None => Ok(Json(receipt)),
    }
}

/// Reports the ends of many runs; each gets its own receipt.
#[utoipa::path(post, path = "/agent/v1/nodes/{node_id}/results", tag = "tasks", request_body = ResultBatch,
    params(("node_id" = NodeId, Path)), responses((status = 200, body = Receipts)))]
async fn report_results(
    State(app): State<Shared>,
    caller: NodeCaller,
    body: Body<ResultBatch, BATCH_BODY_BYTES_MAX>,
) -> Result<Json<Receipts>, Fault> {
    if body.value.results.len() > RESULTS_PER_BATCH_MAX {
        let detail = format!("At most {RESULTS_PER_BATCH_MAX} results are taken at once.");
        return Err(refuse_at(ProblemCode::FieldInvalid, "/results", detail));
    }
    Ok(Json(Receipts { receipts: finish::finish_all(&app, caller, body.value.results).await? }))
}

/// Says what the agent holds; its leases are renewed.
#[utoipa::path(post, path = "/agent/v1/nodes/{node_id}/heartbeat", tag = "tasks", request_body = Heartbeat,
    params(("node_id" = NodeId, Path)), responses((status = 200, body = Pulse)))]
async fn heartbeat(State(app): State<Shared>, caller: NodeCaller, body: Body<Heartbeat>) -> Result<Json<Pulse>, Fault> {
    if body.value.held.len() > HELD_TASKS_MAX {
        let detail = format!("A node holds at most {HELD_TASKS_MAX} tasks.");
        return Err(refuse_at(ProblemCode::FieldInvalid, "/held", detail));
    }
    Ok(Json(renew::renew(&app, caller, body.value).await?))
}
