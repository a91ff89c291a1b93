//! `/api/v1/events`.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Role};
use sortie_wire::events::{Event, EventQuery};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::list;
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, QueryOf, Routes};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes.add(Audience::People, Need::Role(Role::Viewer), routes!(list_events))
}

/// Reads events: the newest, or those after a number. Pass the page's `next` as `after` to go on.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events",
    params(EventQuery),
    responses((status = 200, body = Page<Event>)),
)]
async fn list_events(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<EventQuery>,
) -> Result<Json<Page<Event>>, Fault> {
    Ok(Json(list::list(&app, &who, query).await?))
}
