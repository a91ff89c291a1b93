//! `/api/v1/tasks` and `/api/v1/task-types`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::TaskId;
use sortie_rules::limits::{BATCH_BODY_BYTES_MAX, BODY_BYTES_MAX, TASK_PAYLOAD_BYTES_MAX, TASKS_PER_BATCH_MAX};
use sortie_rules::time::Span;
use sortie_rules::traces::is_traceparent;
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;
use sortie_wire::task_types::TaskType;
use sortie_wire::tasks::{
    SubmitBatch, SubmitTask, Submitted, SubmittedBatch, Task, TaskQuery, TaskSummary, TaskWaitQuery,
};
use utoipa_axum::routes;

use super::{cancel, read, requeue, submit};
use crate::app::Shared;
use crate::fault::{Fault, refuse_at};
use crate::http::{Audience, Body, Once, PathOf, QueryOf, Routes};
use crate::people::Principal;

/// A payload of the largest size, and what is around it.
const SUBMIT_BYTES_MAX: usize = TASK_PAYLOAD_BYTES_MAX + BODY_BYTES_MAX;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .does(Audience::People, Need::May(Permission::TasksWrite), Action::TaskSubmit, routes!(submit_task))
        .does(Audience::People, Need::May(Permission::TasksWrite), Action::TaskSubmit, routes!(submit_batch))
        .add(Audience::People, Need::May(Permission::TasksRead), routes!(list_tasks))
        .add(Audience::People, Need::May(Permission::TasksRead), routes!(show_task))
        .does(Audience::People, Need::May(Permission::TasksWrite), Action::TaskCancel, routes!(cancel_task))
        .does(Audience::People, Need::May(Permission::TasksWrite), Action::TaskRequeue, routes!(requeue_task))
        .add(Audience::People, Need::May(Permission::TasksRead), routes!(list_types))
}

/// The trace that a request says it belongs to.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    is_traceparent(text).then(|| text.to_owned())
}

/// Submits a task. It is on disk when this is answered.
#[utoipa::path(post, path = "/api/v1/tasks", tag = "tasks", request_body = SubmitTask,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat gets the same answer")),
    responses((status = 201, body = Submitted)))]
async fn submit_task(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    body: Body<SubmitTask, SUBMIT_BYTES_MAX>,
) -> Result<(StatusCode, Json<Submitted>), Fault> {
    let once = Once::from_headers(&headers, &who, "POST /api/v1/tasks", &body.bytes)?;
    let submitted = submit::submit(&app, &who, vec![body.value], false, once, traceparent(&headers)).await?;
    let first = submitted.into_iter().next().ok_or_else(|| Fault::Broken("no task was written".to_owned()))?;
    Ok((StatusCode::CREATED, Json(first)))
}

/// Submits several tasks, all or none.
#[utoipa::path(post, path = "/api/v1/tasks/batch", tag = "tasks", request_body = SubmitBatch,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat gets the same answer")),
    responses((status = 201, body = SubmittedBatch)))]
async fn submit_batch(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    body: Body<SubmitBatch, BATCH_BODY_BYTES_MAX>,
) -> Result<(StatusCode, Json<SubmittedBatch>), Fault> {
    if body.value.tasks.is_empty() || body.value.tasks.len() > TASKS_PER_BATCH_MAX {
        let detail = format!("A batch has from 1 to {TASKS_PER_BATCH_MAX} tasks.");
        return Err(refuse_at(ProblemCode::FieldInvalid, "/tasks", detail));
    }
    let once = Once::from_headers(&headers, &who, "POST /api/v1/tasks/batch", &body.bytes)?;
    let tasks = submit::submit(&app, &who, body.value.tasks, true, once, traceparent(&headers)).await?;
    Ok((StatusCode::CREATED, Json(SubmittedBatch { tasks })))
}

/// Lists tasks, newest first.
#[utoipa::path(
    get, path = "/api/v1/tasks", tag = "tasks",
    params(TaskQuery),
    responses((status = 200, body = Page<TaskSummary>)),
)]
async fn list_tasks(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<TaskQuery>,
) -> Result<Json<Page<TaskSummary>>, Fault> {
    Ok(Json(read::list(&app, &who, query).await?))
}

/// Shows a task; with `wait_s` once it has ended.
#[utoipa::path(
    get, path = "/api/v1/tasks/{id}", tag = "tasks",
    params(("id" = TaskId, Path), TaskWaitQuery),
    responses((status = 200, body = Task)),
)]
async fn show_task(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<TaskId>,
    QueryOf(query): QueryOf<TaskWaitQuery>,
) -> Result<Json<Task>, Fault> {
    let wait = Span::seconds(query.wait_s.unwrap_or(0).into());
    Ok(Json(read::show_ended(&app, &who, id, wait).await?))
}

/// Cancels a task: one that waits ends, one under way is asked to stop.
#[utoipa::path(
    post, path = "/api/v1/tasks/{id}/cancel", tag = "tasks",
    params(("id" = TaskId, Path)),
    responses((status = 200, body = TaskSummary)),
)]
async fn cancel_task(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<TaskId>,
) -> Result<Json<TaskSummary>, Fault> {
    Ok(Json(cancel::cancel(&app, &who, id).await?))
}

/// Puts a task that ended without completing back into the queue.
#[utoipa::path(
    post, path = "/api/v1/tasks/{id}/requeue", tag = "tasks",
    params(("id" = TaskId, Path)),
    responses((status = 200, body = TaskSummary)),
)]
async fn requeue_task(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<TaskId>,
) -> Result<Json<TaskSummary>, Fault> {
    Ok(Json(requeue::requeue(&app, &who, id).await?))
}

/// Lists the task types.
#[utoipa::path(get, path = "/api/v1/task-types", tag = "tasks", responses((status = 200, body = Page<TaskType>)))]
async fn list_types(State(app): State<Shared>) -> Json<Page<TaskType>> {
    Json(Page { items: app.types.load().all().cloned().collect(), next: None })
}
