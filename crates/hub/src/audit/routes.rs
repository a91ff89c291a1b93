//! `/api/v1/audit`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use sortie_rules::access::{Need, Permission};
use sortie_wire::audit::{AuditExportQuery, AuditHead, AuditLink, AuditQuery};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::{export, list};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, QueryOf, Routes};
use crate::people::Principal;

/// The media type of an export: JSON, one value to a line.
const NDJSON: &str = "application/x-ndjson";

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::People, Need::May(Permission::AuditRead), routes!(list_audit))
        .add(Audience::People, Need::May(Permission::AuditRead), routes!(show_audit_head))
        .add(Audience::People, Need::May(Permission::AuditRead), routes!(export_audit))
}

/// Reads the audit log of the org, newest first. A page that looked through much and found little may have fewer
/// entries than were asked for, and a `next` all the same.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = Page<AuditLink>)))]
async fn list_audit(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<AuditQuery>,
) -> Result<Json<Page<AuditLink>>, Fault> {
    Ok(Json(list::list(&app, &who, query).await?))
}

/// Says where the chain of the org stands, with the hub's signature over it: kept elsewhere, it proves later that
/// nothing was taken away.
#[utoipa::path(get, path = "/api/v1/audit/head", tag = "audit", responses((status = 200, body = AuditHead)))]
async fn show_audit_head(State(app): State<Shared>, who: Principal) -> Result<Json<AuditHead>, Fault> {
    Ok(Json(export::head(&app, &who).await?))
}

/// Exports the chain of the org: each link on a line of its own, oldest first, and last a line that says where the
/// chain stands there, signed by the hub.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit", params(AuditExportQuery),
    responses((status = 200, description = "One link to a line", body = String,
        content_type = "application/x-ndjson")))]
async fn export_audit(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<AuditExportQuery>,
) -> Result<Response, Fault> {
    let seat = app.seats.take(&who)?;
    let lines = export::export(app, who, query, seat).await?;
    Ok(([(CONTENT_TYPE, NDJSON)], Body::from_stream(lines)).into_response())
}
