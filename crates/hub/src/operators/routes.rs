//! `/api/v1/operators`, and `/agent/v1/nodes/{node_id}/operators`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::NodeId;
use sortie_wire::envelope::Envelope;
use sortie_wire::operators::{OperatorChain, OperatorsQuery, PublishedOperators};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::{publish, read};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, NodeCaller, QueryOf, Routes, to_the_end};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .does(
            Audience::People,
            Need::May(Permission::OperatorsWrite),
            Action::OperatorsPublish,
            routes!(publish_operators),
        )
        .add(Audience::People, Need::May(Permission::OperationsRead), routes!(list_operators))
        .add(Audience::People, Need::May(Permission::OperationsRead), routes!(operators_chain))
        .add(Audience::Agents, Need::Node, routes!(operators_of_node))
}

/// Publishes a set of operators, signed by enough members of the one before; sites follow it by themselves.
#[utoipa::path(post, path = "/api/v1/operators", tag = "operations", request_body = Envelope,
    responses((status = 201, body = PublishedOperators)))]
async fn publish_operators(
    State(app): State<Shared>,
    who: Principal,
    body: Body<Envelope>,
) -> Result<(StatusCode, Json<PublishedOperators>), Fault> {
    let published = to_the_end(async move { publish::publish(&app, &who, body.value).await }).await?;
    Ok((StatusCode::CREATED, Json(published)))
}

/// Lists the sets of operators, oldest first.
#[utoipa::path(get, path = "/api/v1/operators", tag = "operations",
    responses((status = 200, body = Page<PublishedOperators>)))]
async fn list_operators(State(app): State<Shared>, who: Principal) -> Result<Json<Page<PublishedOperators>>, Fault> {
    Ok(Json(Page { items: read::list(&app, who.org).await?, next: None }))
}

/// The sets of operators as they were signed: what is given to a site at its enrolment.
#[utoipa::path(get, path = "/api/v1/operators/chain", tag = "operations", params(OperatorsQuery),
    responses((status = 200, body = OperatorChain)))]
async fn operators_chain(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<OperatorsQuery>,
) -> Result<Json<OperatorChain>, Fault> {
    Ok(Json(read::chain(&app, who.org, query.after).await?))
}

/// The sets of operators after the one that the agent believes.
#[utoipa::path(get, path = "/agent/v1/nodes/{node_id}/operators", tag = "tasks",
    params(("node_id" = NodeId, Path), OperatorsQuery), responses((status = 200, body = OperatorChain)))]
async fn operators_of_node(
    State(app): State<Shared>,
    caller: NodeCaller,
    QueryOf(query): QueryOf<OperatorsQuery>,
) -> Result<Json<OperatorChain>, Fault> {
    Ok(Json(read::chain(&app, caller.org, query.after).await?))
}
