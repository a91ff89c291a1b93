//! `/api/v1/summary`.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Permission};
use sortie_wire::summary::Summary;
use utoipa_axum::routes;

use super::show;
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Routes};
use crate::people::Principal;

/// Adds the route of this room. Each part of the answer needs the permission to read what it counts.
pub(crate) fn add(routes: Routes) -> Routes {
    routes.add(Audience::People, Need::May(Permission::SelfRead), routes!(show_summary))
}

/// How the caller's org fares, in numbers: the parts that the caller may read. They may be two seconds old, and older
/// where `outdated` says that they could not be counted anew.
#[utoipa::path(get, path = "/api/v1/summary", tag = "summary", responses((status = 200, body = Summary)))]
async fn show_summary(State(app): State<Shared>, who: Principal) -> Result<Json<Summary>, Fault> {
    Ok(Json(show::show(&app, &who).await?))
}
