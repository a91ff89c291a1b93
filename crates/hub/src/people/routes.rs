//! `/api/v1/tokens` and `/api/v1/whoami`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::TokenId;
use sortie_store::{Tx, tokens};
use sortie_wire::pages::Page;
use sortie_wire::tokens::{CreateToken, CreatedToken, RevokeToken, TokenDetails, Whoami};
use utoipa_axum::routes;

use super::principal::Principal;
use super::{create_token, list_tokens, revoke_token};
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::fault::{Fault, refuse};
use crate::http::{Audience, Body, Once, PageQuery, PathOf, QueryOf, Routes, page_size, to_the_end};
use sortie_wire::problem::ProblemCode;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::People, Need::May(Permission::SelfRead), routes!(whoami))
        .does(Audience::People, Need::May(Permission::PeopleWrite), Action::TokenCreate, routes!(create))
        .add(Audience::People, Need::May(Permission::PeopleRead), routes!(list))
        .does(Audience::People, Need::May(Permission::PeopleWrite), Action::TokenRevoke, routes!(revoke))
}

/// Who is asking.
#[utoipa::path(get, path = "/api/v1/whoami", tag = "people", responses((status = 200, body = Whoami)))]
async fn whoami(State(app): State<Shared>, who: Principal) -> Json<Whoami> {
    let hub_version = env!("CARGO_PKG_VERSION").to_owned();
    Json(Whoami {
        name: who.name.to_string(),
        role: who.role,
        permissions: who.permissions,
        org: who.org,
        hub_version,
        now: app.clock.now(),
    })
}

/// Makes an API token; its secret is shown this once.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "people", request_body = CreateToken,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat gets the same answer")),
    responses((status = 201, body = CreatedToken)))]
async fn create(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    body: Body<CreateToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Fault> {
    create_token::check(&who, &body.value)?;
    let once = Once::from_headers(&headers, &who, "POST /api/v1/tokens", &body.bytes)?;
    // Only the first of repeated requests is held to it: its answer stands whatever was chosen since.
    let let_in = create_token::let_in(&app, &who, &body.value).await;
    let now = app.clock.now();
    let id: TokenId = app.entropy.id(now);
    let act = Act::by(&who, now)?.on("token", id).named(&body.value.name);
    let (org, name) = (who.org, who.name);
    let secret_hash = app.keys.secret_of("token", id).hash();
    let first = once.clone();
    let written = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(answer) = once.recall(tx).await? {
                    return remembered(tx, &answer).await;
                }
                let_in?;
                once.remember(tx, &id.to_string(), now).await?;
                let row = create_token::create(tx, secret_hash, org, &name, id, body.value, now).await?;
                audit::record(tx, act.changes(create_token::given(&row))).await?;
                Ok(row)
            })
        })
        .await;
    let row = match written {
        Ok(row) => row,
        Err(refusal) => {
            let answer = first.recall_after(&app.store, refusal).await?;
            app.store.read(move |tx| Box::pin(async move { remembered(tx, &answer).await })).await?
        }
    };
    Ok((StatusCode::CREATED, Json(create_token::shown(&app.keys, row))))
}

/// The token that was made under the same key.
async fn remembered(tx: &mut Tx, answer: &str) -> Result<tokens::TokenRow, Fault> {
    let id: TokenId = answer.parse().map_err(|_| Fault::Broken("a remembered answer".to_owned()))?;
    let gone = || refuse(ProblemCode::UnknownToken, "The token of this Idempotency-Key is gone.");
    tokens::get(tx, id).await?.ok_or_else(gone)
}

/// Lists API tokens, newest first.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "people",
    params(PageQuery<TokenId>),
    responses((status = 200, body = Page<TokenDetails>)),
)]
async fn list(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<PageQuery<TokenId>>,
) -> Result<Json<Page<TokenDetails>>, Fault> {
    Ok(Json(list_tokens::list(&app, &who, query.after, page_size(query.limit)?).await?))
}

/// Revokes an API token.
#[utoipa::path(
    post, path = "/api/v1/tokens/{id}/revoke", tag = "people",
    params(("id" = TokenId, Path), RevokeToken),
    responses((status = 200, body = TokenDetails)),
)]
async fn revoke(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<TokenId>,
    QueryOf(query): QueryOf<RevokeToken>,
) -> Result<Json<TokenDetails>, Fault> {
    Ok(Json(to_the_end(async move { revoke_token::revoke(&app, &who, id, query.force).await }).await?))
}
