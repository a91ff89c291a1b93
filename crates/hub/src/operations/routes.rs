//! `/api/v1/operations`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::TaskId;
use sortie_wire::envelope::Envelope;
use sortie_wire::operations::{Operation, OperationQuery, ProposeOperation, RejectOperation};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::{propose, read, reject, sign};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, BodyOrNone, Once, PathOf, QueryOf, Routes, to_the_end};
use crate::people::Principal;
use crate::tasks::traceparent;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .does(
            Audience::People,
            Need::May(Permission::OperationsWrite),
            Action::OperationPropose,
            routes!(propose_operation),
        )
        .add(Audience::People, Need::May(Permission::OperationsRead), routes!(list_operations))
        .add(Audience::People, Need::May(Permission::OperationsRead), routes!(show_operation))
        .does(Audience::People, Need::May(Permission::OperationsWrite), Action::OperationSign, routes!(sign_operation))
        .does(
            Audience::People,
            Need::May(Permission::OperationsWrite),
            Action::OperationReject,
            routes!(reject_operation),
        )
}

/// Proposes an operation, for operators to sign.
#[utoipa::path(post, path = "/api/v1/operations", tag = "operations", request_body = ProposeOperation,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat gets the same answer")),
    responses((status = 201, body = Operation)))]
async fn propose_operation(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    body: Body<ProposeOperation>,
) -> Result<(StatusCode, Json<Operation>), Fault> {
    let once = Once::from_headers(&headers, &who, "POST /api/v1/operations", &body.bytes)?;
    let proposed = propose::propose(&app, &who, body.value, once, traceparent(&headers)).await?;
    Ok((StatusCode::CREATED, Json(proposed)))
}

/// Lists operations, newest first.
#[utoipa::path(get, path = "/api/v1/operations", tag = "operations", params(OperationQuery),
    responses((status = 200, body = Page<Operation>)))]
async fn list_operations(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<OperationQuery>,
) -> Result<Json<Page<Operation>>, Fault> {
    Ok(Json(read::list(&app, &who, query).await?))
}

/// Shows an operation: what is to be signed, or what was.
#[utoipa::path(get, path = "/api/v1/operations/{id}", tag = "operations", params(("id" = TaskId, Path)),
    responses((status = 200, body = Operation)))]
async fn show_operation(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<TaskId>,
) -> Result<Json<Operation>, Fault> {
    Ok(Json(read::show(&app, &who, id).await?))
}

/// Brings what an operator signed. With the last signature that is wanted the operation goes to its node.
#[utoipa::path(post, path = "/api/v1/operations/{id}/signatures", tag = "operations", request_body = Envelope,
    params(("id" = TaskId, Path)), responses((status = 200, body = Operation)))]
async fn sign_operation(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<TaskId>,
    body: Body<Envelope>,
) -> Result<Json<Operation>, Fault> {
    Ok(Json(to_the_end(async move { sign::sign(&app, &who, id, body.value).await }).await?))
}

/// Decides against an operation that waits for signatures.
#[utoipa::path(post, path = "/api/v1/operations/{id}/reject", tag = "operations",
    request_body = Option<RejectOperation>, params(("id" = TaskId, Path)), responses((status = 200, body = Operation)))]
async fn reject_operation(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<TaskId>,
    body: BodyOrNone<RejectOperation>,
) -> Result<Json<Operation>, Fault> {
    Ok(Json(reject::reject(&app, &who, id, body.0.unwrap_or_default()).await?))
}
