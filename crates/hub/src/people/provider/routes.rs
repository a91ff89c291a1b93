//! `/api/v1/auth/provider`, `/api/v1/auth/logout` and `/api/v1/denied-tokens`.

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_wire::pages::Page;
use sortie_wire::sign_in::{DeniedToken, DenyToken, LogOut, LoggedOut, SignInWith};
use utoipa_axum::routes;

use super::{deny, describe, log_out};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, BodyOrNone, PageQuery, QueryOf, Routes, page_size, to_the_end};
use crate::people::authenticate::bearer_of;
use crate::people::{Principal, Proof};
use crate::sessions::unset_cookie;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::People, Need::Nobody, routes!(sign_in_with))
        .does(Audience::People, Need::May(Permission::SelfRead), Action::SessionEnd, routes!(sign_out))
        .does(Audience::People, Need::May(Permission::PeopleWrite), Action::TokenDeny, routes!(deny_token))
        .add(Audience::People, Need::May(Permission::PeopleRead), routes!(list_denied))
}

/// With whom to sign in.
#[utoipa::path(get, path = "/api/v1/auth/provider", tag = "people", responses((status = 200, body = SignInWith)))]
async fn sign_in_with(State(app): State<Shared>) -> Result<Json<SignInWith>, Fault> {
    Ok(Json(describe::describe(&app)?))
}

/// Ends the sign-in that the request comes with: its token is void at once, and the identity provider is
/// told. The body may be absent.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "people", request_body = Option<LogOut>,
    responses((status = 200, body = LoggedOut)))]
async fn sign_out(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    BodyOrNone(also): BodyOrNone<LogOut>,
) -> Result<Response, Fault> {
    if let Proof::Session(id) = who.proof {
        let told = to_the_end(async move { log_out::log_out_session(&app, &who, id).await }).await?;
        return Ok((AppendHeaders([(SET_COOKIE, unset_cookie()?)]), Json(told)).into_response());
    }
    let token = bearer_of(&headers).unwrap_or_default();
    Ok(Json(log_out::log_out(&app, &who, token, also.unwrap_or_default()).await?).into_response())
}

/// Denies a token of the identity provider before its time is over.
#[utoipa::path(post, path = "/api/v1/denied-tokens", tag = "people", request_body = DenyToken,
    responses((status = 201, body = DeniedToken)))]
async fn deny_token(
    State(app): State<Shared>,
    who: Principal,
    body: Body<DenyToken>,
) -> Result<(StatusCode, Json<DeniedToken>), Fault> {
    Ok((StatusCode::CREATED, Json(deny::deny(&app, &who, body.value).await?)))
}

/// Lists the denied tokens of the org that have not ended by themselves.
#[utoipa::path(get, path = "/api/v1/denied-tokens", tag = "people", params(PageQuery<String>),
    responses((status = 200, body = Page<DeniedToken>)))]
async fn list_denied(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<PageQuery<String>>,
) -> Result<Json<Page<DeniedToken>>, Fault> {
    Ok(Json(deny::list(&app, &who, query.after, page_size(query.limit)?).await?))
}
