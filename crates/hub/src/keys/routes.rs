//! `/api/v1/keys` for administrators; `/agent/v1/keys` for whoever follows the chain.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::limits::KEY_LINKS_PER_ANSWER_MAX;
use sortie_wire::hub_keys::{FinishKeys, HubKeys, RotateKeys};
use sortie_wire::keys::{KeyChain, KeysQuery};
use utoipa_axum::routes;

use super::{finish, rotate, show};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, QueryOf, Routes};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .add(Audience::Agents, Need::Nobody, routes!(key_chain))
        .add(Audience::People, Need::May(Permission::KeysWrite), routes!(show_keys))
        .does(Audience::People, Need::May(Permission::KeysWrite), Action::KeysRotate, routes!(rotate_keys))
        .does(Audience::People, Need::May(Permission::KeysWrite), Action::KeysFinish, routes!(finish_keys))
}

/// The key sets after the one at hand, each signed by a key of the one before.
#[utoipa::path(get, path = "/agent/v1/keys", tag = "enrollment", params(KeysQuery),
    responses((status = 200, body = KeyChain)))]
async fn key_chain(State(app): State<Shared>, QueryOf(query): QueryOf<KeysQuery>) -> Json<KeyChain> {
    let held = app.ring.held();
    let links = held.links_after(query.after, KEY_LINKS_PER_ANSWER_MAX);
    Json(KeyChain { links, newest: held.ring().version })
}

/// Shows the hub's keys, and which nodes lag behind them.
#[utoipa::path(get, path = "/api/v1/keys", tag = "keys", responses((status = 200, body = HubKeys)))]
async fn show_keys(State(app): State<Shared>, _who: Principal) -> Result<Json<HubKeys>, Fault> {
    Ok(Json(show::show(&app).await?))
}

/// Brings in a new delivery key or authority. Old and new are believed until the rotation is finished.
#[utoipa::path(post, path = "/api/v1/keys/rotate", tag = "keys", request_body = RotateKeys,
    responses((status = 200, body = HubKeys)))]
async fn rotate_keys(
    State(app): State<Shared>,
    who: Principal,
    body: Body<RotateKeys>,
) -> Result<Json<HubKeys>, Fault> {
    Ok(Json(rotate::rotate(&app, &who, body.value).await?))
}

/// Takes out what is not used any more. Refused while nodes lag, unless forced.
#[utoipa::path(post, path = "/api/v1/keys/finish", tag = "keys", request_body = FinishKeys,
    responses((status = 200, body = HubKeys)))]
async fn finish_keys(
    State(app): State<Shared>,
    who: Principal,
    body: Body<FinishKeys>,
) -> Result<Json<HubKeys>, Fault> {
    Ok(Json(finish::finish(&app, &who, body.value).await?))
}
