//! `/api/v1/sessions`.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::SessionId;
use sortie_wire::pages::Page;
use sortie_wire::sessions::Session;
use utoipa_axum::routes;

use super::{end, list};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, PageQuery, PathOf, QueryOf, Routes, page_size, to_the_end};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes.add(Audience::People, Need::May(Permission::PeopleRead), routes!(list_sessions)).does(
        Audience::People,
        Need::May(Permission::PeopleWrite),
        Action::SessionEnd,
        routes!(end_session),
    )
}

/// Lists who is signed in, newest first.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "people", params(PageQuery<SessionId>),
    responses((status = 200, body = Page<Session>)))]
async fn list_sessions(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<PageQuery<SessionId>>,
) -> Result<Json<Page<Session>>, Fault> {
    Ok(Json(list::list(&app, &who, query.after, page_size(query.limit)?).await?))
}

/// Signs somebody out at once.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/end", tag = "people", params(("id" = SessionId, Path)),
    responses((status = 200, body = Session)))]
async fn end_session(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<SessionId>,
) -> Result<Json<Session>, Fault> {
    Ok(Json(to_the_end(async move { end::end(&app, &who, id).await }).await?))
}
