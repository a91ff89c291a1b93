//! `/api/v1/desired`, `/api/v1/publications`, `/api/v1/nodes/{node}/desired` and `/api/v1/resource-kinds`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::PublicationId;
use sortie_rules::limits::{BODY_BYTES_MAX, LAYER_BYTES_MAX};
use sortie_wire::desired::{
    Diff, DiffQuery, LayerShown, NodeDesired, Publication, PublicationNode, PublicationQuery, Publish, ResourceKind,
    StopPublication, WriteDraft,
};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::conflict::with_current;
use super::{diff, draft, layer, node, publish, show, stop};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, Once, PathOf, QueryOf, Routes};
use crate::people::Principal;

/// A state of the largest size, and what is said beside it.
const STATE_BYTES_MAX: usize = 2 * LAYER_BYTES_MAX + BODY_BYTES_MAX;
const READ: Need = Need::May(Permission::DesiredRead);
const WRITE: Need = Need::May(Permission::DesiredWrite);

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::People, READ, routes!(show_layer))
        .does(Audience::People, WRITE, Action::DraftWrite, routes!(write_draft))
        .does(Audience::People, WRITE, Action::DraftDiscard, routes!(discard_draft))
        .add(Audience::People, READ, routes!(diff_layer))
        .does(Audience::People, WRITE, Action::DesiredPublish, routes!(publish_layer))
        .add(Audience::People, READ, routes!(list_revisions))
        .add(Audience::People, READ, routes!(show_revision))
        .add(Audience::People, READ, routes!(show_publication))
        .add(Audience::People, READ, routes!(list_publication_nodes))
        .does(Audience::People, WRITE, Action::PublicationStop, routes!(stop_publication))
        .add(Audience::People, READ, routes!(show_node_desired))
        .add(Audience::People, READ, routes!(list_resource_kinds))
}

/// Shows a layer as it stands, with its draft and what goes out. A layer is `org`, `site:KEY` or `node:NAME`.
#[utoipa::path(get, path = "/api/v1/desired/{layer}", tag = "desired", params(("layer" = String, Path)),
    responses((status = 200, body = LayerShown)))]
async fn show_layer(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
) -> Result<Json<LayerShown>, Fault> {
    let key = layer::find(&app, &who, &name).await?;
    Ok(Json(show::layer(&app, key).await?))
}

/// Writes a layer's draft in place of the version that was read. Nothing comes of it until it is published.
#[utoipa::path(put, path = "/api/v1/desired/{layer}/draft", tag = "desired", request_body = WriteDraft,
    params(("layer" = String, Path)), responses((status = 200, body = LayerShown)))]
async fn write_draft(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
    body: Body<WriteDraft, STATE_BYTES_MAX>,
) -> Result<Json<LayerShown>, Fault> {
    let key = layer::find(&app, &who, &name).await?;
    let written = draft::write(&app, &who, key.clone(), body.value).await;
    Ok(Json(with_current(&app, &who, key, written).await?))
}

/// Discards a layer's draft.
#[utoipa::path(delete, path = "/api/v1/desired/{layer}/draft", tag = "desired", params(("layer" = String, Path)),
    responses((status = 200, body = LayerShown)))]
async fn discard_draft(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
) -> Result<Json<LayerShown>, Fault> {
    let key = layer::find(&app, &who, &name).await?;
    let discarded = draft::discard(&app, &who, key.clone()).await;
    Ok(Json(with_current(&app, &who, key, discarded).await?))
}

/// Says what differs between what stands and the draft, or between two revisions.
#[utoipa::path(get, path = "/api/v1/desired/{layer}/diff", tag = "desired",
    params(("layer" = String, Path), DiffQuery), responses((status = 200, body = Diff)))]
async fn diff_layer(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
    QueryOf(query): QueryOf<DiffQuery>,
) -> Result<Json<Diff>, Fault> {
    let key = layer::find(&app, &who, &name).await?;
    Ok(Json(diff::diff(&app, key, query).await?))
}

/// Publishes a layer's draft, a state, or an earlier revision once more. It is on disk when this is answered.
#[utoipa::path(post, path = "/api/v1/desired/{layer}/publish", tag = "desired", request_body = Publish,
    params(("layer" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat gets the same answer")),
    responses((status = 201, body = Publication)))]
async fn publish_layer(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
    headers: HeaderMap,
    body: Body<Publish, STATE_BYTES_MAX>,
) -> Result<(StatusCode, Json<Publication>), Fault> {
    let key = layer::find(&app, &who, &name).await?;
    // The layer is part of what a repetition must repeat.
    let said = [name.as_bytes(), b"\n", &body.bytes[..]].concat();
    let once = Once::from_headers(&headers, &who, "POST /api/v1/desired/{layer}/publish", &said)?;
    let published = publish::publish(&app, &who, key.clone(), body.value, once).await;
    Ok((StatusCode::CREATED, Json(with_current(&app, &who, key, published).await?)))
}

/// Lists a layer's publications, newest first.
#[utoipa::path(get, path = "/api/v1/desired/{layer}/history", tag = "desired",
    params(("layer" = String, Path), PublicationQuery), responses((status = 200, body = Page<Publication>)))]
async fn list_revisions(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
    QueryOf(query): QueryOf<PublicationQuery>,
) -> Result<Json<Page<Publication>>, Fault> {
    let key = layer::find(&app, &who, &name).await?;
    Ok(Json(show::history(&app, key, query).await?))
}

/// Shows a revision of a layer, with what it says.
#[utoipa::path(get, path = "/api/v1/desired/{layer}/history/{revision}", tag = "desired",
    params(("layer" = String, Path), ("revision" = u64, Path)), responses((status = 200, body = Publication)))]
async fn show_revision(
    State(app): State<Shared>,
    who: Principal,
    PathOf((name, revision)): PathOf<(String, u64)>,
) -> Result<Json<Publication>, Fault> {
    let key = layer::find(&app, &who, &name).await?;
    Ok(Json(show::revision(&app, key, revision).await?))
}

/// Shows a publication, with what it says and how many of its nodes stand where.
#[utoipa::path(get, path = "/api/v1/publications/{id}", tag = "desired", params(("id" = PublicationId, Path)),
    responses((status = 200, body = Publication)))]
async fn show_publication(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<PublicationId>,
) -> Result<Json<Publication>, Fault> {
    Ok(Json(show::publication(&app, &who, id).await?))
}

/// Lists the nodes of a publication, and how each fares.
#[utoipa::path(get, path = "/api/v1/publications/{id}/nodes", tag = "desired",
    params(("id" = PublicationId, Path), PublicationQuery), responses((status = 200, body = Page<PublicationNode>)))]
async fn list_publication_nodes(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<PublicationId>,
    QueryOf(query): QueryOf<PublicationQuery>,
) -> Result<Json<Page<PublicationNode>>, Fault> {
    Ok(Json(show::nodes(&app, &who, id, query).await?))
}

/// Stops a publication; nodes that have it keep it, or get back what they had.
#[utoipa::path(post, path = "/api/v1/publications/{id}/stop", tag = "desired", request_body = StopPublication,
    params(("id" = PublicationId, Path)), responses((status = 200, body = Publication)))]
async fn stop_publication(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<PublicationId>,
    body: Body<StopPublication>,
) -> Result<Json<Publication>, Fault> {
    Ok(Json(stop::stop(&app, &who, id, body.value).await?))
}

/// Shows what a node should be, layer by layer, and how it stands to it.
#[utoipa::path(get, path = "/api/v1/nodes/{node}/desired", tag = "desired", params(("node" = String, Path)),
    responses((status = 200, body = NodeDesired)))]
async fn show_node_desired(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
) -> Result<Json<NodeDesired>, Fault> {
    Ok(Json(node::show(&app, &who, &name).await?))
}

/// Lists the kinds of resources that can stand in a desired state, by name.
#[utoipa::path(get, path = "/api/v1/resource-kinds", tag = "desired",
    responses((status = 200, body = Page<ResourceKind>)))]
async fn list_resource_kinds(State(app): State<Shared>) -> Json<Page<ResourceKind>> {
    Json(Page { items: app.kinds.load().all().cloned().collect(), next: None })
}
