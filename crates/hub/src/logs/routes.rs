//! `/agent/v1/nodes/{node_id}/logs`, `/api/v1/tasks/{id}/log` and its stream.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::Sse;
use sortie_rules::access::{Need, Permission};
use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::limits::{LOG_BATCH_BYTES_MAX, LOG_PIECES_MAX};
use sortie_wire::logs::{LogBatch, LogPart, LogQuery, LogReceipts};
use sortie_wire::problem::ProblemCode;
use utoipa_axum::routes;

use super::{read, receive, stream};
use crate::app::Shared;
use crate::fault::{Fault, refuse_at};
use crate::http::{Audience, Body, NodeCaller, PathOf, QueryOf, Routes, last_event_id, still_here};
use crate::people::Principal;

/// Pieces of the largest size in base64, and what is around them.
const LOGS_BYTES_MAX: usize = LOG_BATCH_BYTES_MAX * 4 / 3 + (256 << 10);

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::Agents, Need::Node, routes!(receive_logs))
        .add(Audience::People, Need::May(Permission::TasksRead), routes!(read_log))
        .add(Audience::People, Need::May(Permission::TasksRead), routes!(stream_log))
}

/// Sends pieces of logs. The answer says where each log goes on.
#[utoipa::path(post, path = "/agent/v1/nodes/{node_id}/logs", tag = "tasks", request_body = LogBatch,
    params(("node_id" = NodeId, Path)), responses((status = 200, body = LogReceipts)))]
async fn receive_logs(
    State(app): State<Shared>,
    caller: NodeCaller,
    body: Body<LogBatch, LOGS_BYTES_MAX>,
) -> Result<Json<LogReceipts>, Fault> {
    if body.value.pieces.len() > LOG_PIECES_MAX {
        let detail = format!("At most {LOG_PIECES_MAX} pieces are taken at once.");
        return Err(refuse_at(ProblemCode::FieldInvalid, "/pieces", detail));
    }
    Ok(Json(LogReceipts { receipts: receive::receive(&app, caller, body.value.pieces).await? }))
}

/// Reads a part of a task's log. Pass its `next` as `offset` to go on; with `wait_s` the answer is held
/// until there is more.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/log", tag = "tasks", params(("id" = TaskId, Path), LogQuery),
    responses((status = 200, body = LogPart)))]
async fn read_log(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<TaskId>,
    QueryOf(query): QueryOf<LogQuery>,
) -> Result<Json<LogPart>, Fault> {
    Ok(Json(read::read(&app, &who, id, query).await?))
}

/// Streams a task's log as server-sent events: `log` carries a `LogPart`, `end` the last word. The id of
/// each is the offset of what follows; send it as `Last-Event-ID` to go on after a break.
#[utoipa::path(get, path = "/api/v1/tasks/{id}/log/stream", tag = "tasks",
    params(("id" = TaskId, Path), LogQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "Where to go on")),
    responses((status = 200, description = "A stream of events", body = String, content_type = "text/event-stream")))]
async fn stream_log(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    PathOf(id): PathOf<TaskId>,
    QueryOf(query): QueryOf<LogQuery>,
) -> Result<impl IntoResponse, Fault> {
    let offset = last_event_id(&headers)?.or(query.offset).unwrap_or(0);
    let first = read::read_now(&app, &who, id, query.run, offset).await?;
    let seat = app.seats.take(&who)?;
    let parts = stream::parts(app, who, id, first.run, first.offset, seat);
    Ok(Sse::new(parts).keep_alive(still_here()))
}
