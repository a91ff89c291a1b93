//! `/api/v1/jobs`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::JobId;
use sortie_rules::limits::{BODY_BYTES_MAX, TASK_PAYLOAD_BYTES_MAX};
use sortie_wire::jobs::{Job, JobNode, JobNodeQuery, JobPreview, JobQuery, RunJob};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::steer::Steer;
use super::{create, read, steer};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, Once, PathOf, QueryOf, Routes};
use crate::people::Principal;
use crate::tasks::traceparent;

/// A payload of the largest size, and a selector with many names.
const JOB_BYTES_MAX: usize = TASK_PAYLOAD_BYTES_MAX + BODY_BYTES_MAX;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .does(Audience::People, Need::May(Permission::JobsWrite), Action::JobCreate, routes!(run_job))
        .add(Audience::People, Need::May(Permission::JobsWrite), routes!(preview_job))
        .add(Audience::People, Need::May(Permission::JobsRead), routes!(list_jobs))
        .add(Audience::People, Need::May(Permission::JobsRead), routes!(show_job))
        .add(Audience::People, Need::May(Permission::JobsRead), routes!(list_job_nodes))
        .does(Audience::People, Need::May(Permission::JobsWrite), Action::JobPause, routes!(pause_job))
        .does(Audience::People, Need::May(Permission::JobsWrite), Action::JobResume, routes!(resume_job))
        .does(Audience::People, Need::May(Permission::JobsWrite), Action::JobCancel, routes!(cancel_job))
}

/// Begins a job: a task at each node that the selector means. It is on disk when this is answered.
#[utoipa::path(post, path = "/api/v1/jobs", tag = "jobs", request_body = RunJob,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat gets the same answer")),
    responses((status = 201, body = Job)))]
async fn run_job(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    body: Body<RunJob, JOB_BYTES_MAX>,
) -> Result<(StatusCode, Json<Job>), Fault> {
    let once = Once::from_headers(&headers, &who, "POST /api/v1/jobs", &body.bytes)?;
    let job = create::create(&app, &who, body.value, once, traceparent(&headers)).await?;
    Ok((StatusCode::CREATED, Json(job)))
}

/// Says which nodes a job would be for, and begins nothing.
#[utoipa::path(post, path = "/api/v1/jobs/preview", tag = "jobs", request_body = RunJob,
    responses((status = 200, body = JobPreview)))]
async fn preview_job(
    State(app): State<Shared>,
    who: Principal,
    body: Body<RunJob, JOB_BYTES_MAX>,
) -> Result<Json<JobPreview>, Fault> {
    Ok(Json(create::preview(&app, &who, body.value).await?))
}

/// Lists jobs, newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(JobQuery),
    responses((status = 200, body = Page<Job>)))]
async fn list_jobs(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<JobQuery>,
) -> Result<Json<Page<Job>>, Fault> {
    Ok(Json(read::list(&app, &who, query).await?))
}

/// Shows a job, with how many of its nodes stand where.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = JobId, Path)),
    responses((status = 200, body = Job)))]
async fn show_job(State(app): State<Shared>, who: Principal, PathOf(id): PathOf<JobId>) -> Result<Json<Job>, Fault> {
    Ok(Json(read::show(&app, &who, id).await?))
}

/// Lists the nodes of a job by name, and how each fares.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/nodes", tag = "jobs", params(("id" = JobId, Path), JobNodeQuery),
    responses((status = 200, body = Page<JobNode>)))]
async fn list_job_nodes(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<JobId>,
    QueryOf(query): QueryOf<JobNodeQuery>,
) -> Result<Json<Page<JobNode>>, Fault> {
    Ok(Json(read::nodes(&app, &who, id, query).await?))
}

/// Pauses a job: no more tasks go out; those that are out go on.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/pause", tag = "jobs", params(("id" = JobId, Path)),
    responses((status = 200, body = Job)))]
async fn pause_job(State(app): State<Shared>, who: Principal, PathOf(id): PathOf<JobId>) -> Result<Json<Job>, Fault> {
    Ok(Json(steer::steer(&app, &who, id, Steer::Pause).await?))
}

/// Resumes a paused job.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/resume", tag = "jobs", params(("id" = JobId, Path)),
    responses((status = 200, body = Job)))]
async fn resume_job(State(app): State<Shared>, who: Principal, PathOf(id): PathOf<JobId>) -> Result<Json<Job>, Fault> {
    Ok(Json(steer::steer(&app, &who, id, Steer::Resume).await?))
}

/// Cancels a job: tasks in queues are taken back, those under way are asked to stop.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", tag = "jobs", params(("id" = JobId, Path)),
    responses((status = 200, body = Job)))]
async fn cancel_job(State(app): State<Shared>, who: Principal, PathOf(id): PathOf<JobId>) -> Result<Json<Job>, Fault> {
    Ok(Json(steer::steer(&app, &who, id, Steer::Cancel).await?))
}
