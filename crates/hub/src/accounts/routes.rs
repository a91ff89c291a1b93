//! `/api/v1/accounts`, and the two addresses at which somebody with a password is asked for it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::AccountId;
use sortie_wire::accounts::{Account, ChangeAccount, CreateAccount};
use sortie_wire::pages::Page;
use sortie_wire::sessions::{ChangePassword, SignIn, SignedIn};
use utoipa_axum::routes;

use super::{change, create, list, sign_in};
use crate::app::Shared;
use crate::audit::Asked;
use crate::fault::Fault;
use crate::http::{Audience, Body, PageQuery, PathOf, QueryOf, Routes, page_size, to_the_end};
use crate::identity::Peer;
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .does(Audience::People, Need::Nobody, Action::SessionBegin, routes!(sign_in_with_password))
        .does(
            Audience::People,
            Need::May(Permission::SelfRead),
            Action::AccountChangePassword,
            routes!(change_password),
        )
        .does(Audience::People, Need::May(Permission::PeopleWrite), Action::AccountCreate, routes!(create_account))
        .add(Audience::People, Need::May(Permission::PeopleRead), routes!(list_accounts))
        .does(Audience::People, Need::May(Permission::PeopleWrite), Action::AccountChange, routes!(change_account))
}

/// Signs in with a password of this hub's. A browser gets a cookie; with `as_token` the answer holds a token.
#[utoipa::path(post, path = "/api/v1/auth/sign-in", tag = "people", request_body = SignIn,
    responses((status = 200, body = SignedIn)))]
async fn sign_in_with_password(
    State(app): State<Shared>,
    Asked(asking): Asked,
    Extension(peer): Extension<Arc<Peer>>,
    body: Body<SignIn>,
) -> Result<Response, Fault> {
    let as_token = body.value.as_token;
    let begun = sign_in::sign_in(&app, &asking, peer.address, body.value).await?;
    if as_token {
        return Ok(Json(SignedIn { token: Some(begun.token()), session: begun.session }).into_response());
    }
    let cookie = begun.cookie()?;
    Ok((cookie, Json(SignedIn { token: None, session: begun.session })).into_response())
}

/// Gives one's own account another password. Its other sessions end.
#[utoipa::path(post, path = "/api/v1/auth/password", tag = "people", request_body = ChangePassword,
    responses((status = 200, body = Account)))]
async fn change_password(
    State(app): State<Shared>,
    who: Principal,
    Extension(peer): Extension<Arc<Peer>>,
    body: Body<ChangePassword>,
) -> Result<Json<Account>, Fault> {
    let change = async move { change::change_own_password(&app, &who, peer.address, body.value).await };
    Ok(Json(to_the_end(change).await?))
}

/// Makes an account.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "people", request_body = CreateAccount,
    responses((status = 201, body = Account)))]
async fn create_account(
    State(app): State<Shared>,
    who: Principal,
    body: Body<CreateAccount>,
) -> Result<(StatusCode, Json<Account>), Fault> {
    Ok((StatusCode::CREATED, Json(create::create(&app, &who, body.value).await?)))
}

/// Lists accounts, oldest first.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "people", params(PageQuery<AccountId>),
    responses((status = 200, body = Page<Account>)))]
async fn list_accounts(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<PageQuery<AccountId>>,
) -> Result<Json<Page<Account>>, Fault> {
    Ok(Json(list::list(&app, &who, query.after, page_size(query.limit)?).await?))
}

/// Changes an account's role or password, or disables it. Its sessions end.
#[utoipa::path(patch, path = "/api/v1/accounts/{id}", tag = "people", request_body = ChangeAccount,
    params(("id" = AccountId, Path)), responses((status = 200, body = Account)))]
async fn change_account(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<AccountId>,
    body: Body<ChangeAccount>,
) -> Result<Json<Account>, Fault> {
    Ok(Json(to_the_end(async move { change::change(&app, &who, id, body.value).await }).await?))
}
