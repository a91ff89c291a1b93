//! `/api/v1/events` and `/agent/v1/nodes/{node_id}/events`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::response::sse::Sse;
use sortie_rules::access::{Need, Permission};
use sortie_rules::ids::NodeId;
use sortie_rules::limits::NODE_EVENTS_BYTES_MAX;
use sortie_store::events::last_number;
use sortie_wire::events::{Event, EventQuery, SendEvents};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::{list, stream, take};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, NodeCaller, QueryOf, Routes, last_event_id, still_here};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::Agents, Need::Node, routes!(send_events))
        .add(Audience::People, Need::May(Permission::EventsRead), routes!(list_events))
        .add(Audience::People, Need::May(Permission::EventsRead), routes!(stream_events))
}

/// Takes events that the node tells by itself: of its backups. Each is taken once, however often it is sent.
#[utoipa::path(post, path = "/agent/v1/nodes/{node_id}/events", tag = "desired", request_body = SendEvents,
    params(("node_id" = NodeId, Path)), responses((status = 204)))]
async fn send_events(
    State(app): State<Shared>,
    caller: NodeCaller,
    body: Body<SendEvents, NODE_EVENTS_BYTES_MAX>,
) -> Result<StatusCode, Fault> {
    caller.still_stands(&app).await?;
    take::take(&app, &caller, body.value).await?;
    Ok(StatusCode::NO_CONTENT)
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
    Ok(Json(list::list_held(&app, &who, query).await?))
}

/// Streams events as they happen, as server-sent events: the data of each is an `Event`, its id the
/// number. Send the last one as `Last-Event-ID` to go on after a break; without it, or `after`, the stream
/// begins with what happens next.
#[utoipa::path(
    get, path = "/api/v1/events/stream", tag = "events",
    params(EventQuery, ("Last-Event-ID" = Option<String>, Header, description = "Where to go on")),
    responses((status = 200, description = "A stream of events", body = String, content_type = "text/event-stream")),
)]
async fn stream_events(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    QueryOf(query): QueryOf<EventQuery>,
) -> Result<impl IntoResponse, Fault> {
    let after = match last_event_id(&headers)?.or(query.after) {
        Some(after) => after,
        None => app.store.read(|tx| Box::pin(async move { last_number(tx).await })).await?,
    };
    let query = EventQuery { after: Some(after), wait_s: None, ..query };
    // What is wrong with the query is answered now, and not by a stream that ends at once.
    list::list(&app, &who, query.clone()).await?;
    let seat = app.seats.take(&who)?;
    Ok(Sse::new(stream::events(app, who, query, seat)).keep_alive(still_here()))
}
