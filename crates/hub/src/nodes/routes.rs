//! `/api/v1/nodes` and `/api/v1/sites`.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_wire::nodes::{ChangeNode, Node, NodeQuery, PutSite, Site};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::{change, list, quarantine, remove_site, revoke, show, sites};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, PageQuery, PathOf, QueryOf, Routes, page_size, to_the_end};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::People, Need::May(Permission::NodesRead), routes!(list_nodes))
        .add(Audience::People, Need::May(Permission::NodesRead), routes!(show_node))
        .does(Audience::People, Need::May(Permission::NodesWrite), Action::NodeChange, routes!(change_node))
        .does(Audience::People, Need::May(Permission::AdmissionWrite), Action::NodeRevoke, routes!(revoke_node))
        .does(Audience::People, Need::May(Permission::AdmissionWrite), Action::NodeReadmit, routes!(readmit_node))
        .add(Audience::People, Need::May(Permission::NodesRead), routes!(list_sites))
        .add(Audience::People, Need::May(Permission::NodesRead), routes!(show_site))
        .does(Audience::People, Need::May(Permission::NodesWrite), Action::SiteChange, routes!(put_site))
        .does(Audience::People, Need::May(Permission::NodesWrite), Action::SiteRemove, routes!(remove_site))
}

/// Lists nodes by name.
#[utoipa::path(
    get, path = "/api/v1/nodes", tag = "nodes",
    params(NodeQuery),
    responses((status = 200, body = Page<Node>)),
)]
async fn list_nodes(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<NodeQuery>,
) -> Result<Json<Page<Node>>, Fault> {
    Ok(Json(list::list(&app, &who, query).await?))
}

/// Shows a node, by name or id.
#[utoipa::path(
    get, path = "/api/v1/nodes/{node}", tag = "nodes",
    params(("node" = String, Path, description = "Name or id")),
    responses((status = 200, body = Node)),
)]
async fn show_node(
    State(app): State<Shared>,
    who: Principal,
    PathOf(node): PathOf<String>,
) -> Result<Json<Node>, Fault> {
    Ok(Json(show::show(&app, &who, &node).await?))
}

/// Changes site, host, kind, labels or thresholds of a node.
#[utoipa::path(patch, path = "/api/v1/nodes/{node}", tag = "nodes", request_body = ChangeNode,
    params(("node" = String, Path, description = "Name or id")), responses((status = 200, body = Node)))]
async fn change_node(
    State(app): State<Shared>,
    who: Principal,
    PathOf(node): PathOf<String>,
    body: Body<ChangeNode>,
) -> Result<Json<Node>, Fault> {
    Ok(Json(change::change(&app, &who, &node, body.value).await?))
}

/// Revokes a node: its certificate is void from now on.
#[utoipa::path(post, path = "/api/v1/nodes/{node}/revoke", tag = "nodes",
    params(("node" = String, Path, description = "Name or id")), responses((status = 200, body = Node)))]
async fn revoke_node(
    State(app): State<Shared>,
    who: Principal,
    PathOf(node): PathOf<String>,
) -> Result<Json<Node>, Fault> {
    Ok(Json(to_the_end(async move { revoke::revoke(&app, &who, &node).await }).await?))
}

/// Ends a node's quarantine: whoever comes next with its key is the node.
#[utoipa::path(post, path = "/api/v1/nodes/{node}/readmit", tag = "nodes",
    params(("node" = String, Path, description = "Name or id")), responses((status = 200, body = Node)))]
async fn readmit_node(
    State(app): State<Shared>,
    who: Principal,
    PathOf(node): PathOf<String>,
) -> Result<Json<Node>, Fault> {
    Ok(Json(to_the_end(async move { quarantine::readmit(&app, &who, &node).await }).await?))
}

/// The query of the list of sites.
/// Lists sites by key.
#[utoipa::path(
    get, path = "/api/v1/sites", tag = "nodes",
    params(PageQuery<String>),
    responses((status = 200, body = Page<Site>)),
)]
async fn list_sites(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<PageQuery<String>>,
) -> Result<Json<Page<Site>>, Fault> {
    Ok(Json(sites::list(&app, &who, query.after, page_size(query.limit)?).await?))
}

/// Shows a site.
#[utoipa::path(get, path = "/api/v1/sites/{key}", tag = "nodes",
    params(("key" = String, Path, description = "The site's key")), responses((status = 200, body = Site)))]
async fn show_site(
    State(app): State<Shared>,
    who: Principal,
    PathOf(key): PathOf<String>,
) -> Result<Json<Site>, Fault> {
    Ok(Json(sites::show(&app, &who, key).await?))
}

/// Makes a site or gives it another name.
#[utoipa::path(put, path = "/api/v1/sites/{key}", tag = "nodes", request_body = PutSite,
    params(("key" = String, Path, description = "The site's key")), responses((status = 200, body = Site)))]
async fn put_site(
    State(app): State<Shared>,
    who: Principal,
    PathOf(key): PathOf<String>,
    body: Body<PutSite>,
) -> Result<Json<Site>, Fault> {
    Ok(Json(sites::put(&app, &who, key, body.value).await?))
}

/// Removes a site that nothing needs: no node, no open invite, nothing that its layer says.
#[utoipa::path(delete, path = "/api/v1/sites/{key}", tag = "nodes",
    params(("key" = String, Path, description = "The site's key")), responses((status = 200, body = Site)))]
async fn remove_site(
    State(app): State<Shared>,
    who: Principal,
    PathOf(key): PathOf<String>,
) -> Result<Json<Site>, Fault> {
    Ok(Json(remove_site::remove(&app, &who, key).await?))
}
