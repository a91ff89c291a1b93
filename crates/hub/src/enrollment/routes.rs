//! `/api/v1/invites` for people; `/agent/v1/enroll`, `renew` and `time` for agents.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::InviteId;
use sortie_wire::answers::{HEADER, endorsable, header};
use sortie_wire::deliveries::{SignedTime, TimeQuery};
use sortie_wire::enrollment::{Enroll, Enrolled, Renew, Renewed};
use sortie_wire::envelope::{Envelope, TIME};
use sortie_wire::invites::{CreateInvite, CreatedInvite, InviteDetails};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;
use utoipa_axum::routes;

use super::{InviteHolder, create_invite, enroll, invites, renew};
use crate::app::Shared;
use crate::audit::Asked;
use crate::fault::{Fault, refuse};
use crate::http::{Audience, Body, NodeCaller, Once, PageQuery, PathOf, QueryOf, Routes, page_size};
use crate::identity::Endorser;
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes
        .does(Audience::People, Need::May(Permission::AdmissionWrite), Action::InviteCreate, routes!(create))
        .add(Audience::People, Need::May(Permission::AdmissionRead), routes!(list))
        .does(Audience::People, Need::May(Permission::AdmissionWrite), Action::InviteRevoke, routes!(revoke))
        .does(Audience::Agents, Need::Invite, Action::NodeEnroll, routes!(enroll_agent))
        .add(Audience::Agents, Need::Node, routes!(renew_certificate))
        .add(Audience::Agents, Need::Nobody, routes!(time))
}

/// Makes an invite; its secret is shown this once.
#[utoipa::path(post, path = "/api/v1/invites", tag = "invites", request_body = CreateInvite,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat gets the same answer")),
    responses((status = 201, body = CreatedInvite)))]
async fn create(
    State(app): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    body: Body<CreateInvite>,
) -> Result<(StatusCode, Json<CreatedInvite>), Fault> {
    let once = Once::from_headers(&headers, &who, "POST /api/v1/invites", &body.bytes)?;
    Ok((StatusCode::CREATED, Json(create_invite::create(&app, &who, body.value, once).await?)))
}

/// The query of the list of invites.
/// Lists invites, newest first.
#[utoipa::path(
    get, path = "/api/v1/invites", tag = "invites",
    params(PageQuery<InviteId>),
    responses((status = 200, body = Page<InviteDetails>)),
)]
async fn list(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<PageQuery<InviteId>>,
) -> Result<Json<Page<InviteDetails>>, Fault> {
    Ok(Json(invites::list(&app, &who, query.after, page_size(query.limit)?).await?))
}

/// Withdraws an invite.
#[utoipa::path(
    post, path = "/api/v1/invites/{id}/revoke", tag = "invites",
    params(("id" = InviteId, Path)),
    responses((status = 200, body = InviteDetails)),
)]
async fn revoke(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<InviteId>,
) -> Result<Json<InviteDetails>, Fault> {
    Ok(Json(invites::revoke(&app, &who, id).await?))
}

/// Enrols an agent. Proof: `Authorization: Invite <invite id>.<nonce>.<hash of the body>.<tag>`, where the tag is
/// the HMAC-SHA256 of the rest under the invite's secret. The answer is signed with the key of the hub's
/// certificate (header `sortie-signature`), so that an agent can hold it against the invite's fingerprint even
/// where a proxy has opened the connection.
#[utoipa::path(
    post, path = "/agent/v1/enroll", tag = "enrollment",
    request_body = Enroll,
    responses((status = 200, body = Enrolled)),
)]
async fn enroll_agent(
    State(app): State<Shared>,
    Asked(asking): Asked,
    InviteHolder { invite, nonce }: InviteHolder,
    body: Body<Enroll>,
) -> Result<Response, Fault> {
    let endorser = app.tls.endorser();
    let enrolled = enroll::enroll(&app, asking, invite, body.value, endorser.chain()).await?;
    endorsed(&endorser, &nonce, &enrolled)
}

fn endorsed(endorser: &Endorser, nonce: &str, enrolled: &Enrolled) -> Result<Response, Fault> {
    let broken = |error: &dyn std::fmt::Display| Fault::Broken(format!("an enrolment cannot be signed: {error}"));
    let body = serde_json::to_vec(enrolled).map_err(|error| broken(&error))?;
    let signature = endorser.sign(&endorsable(nonce, &body)).map_err(|error| broken(&error))?;
    let headers = [(CONTENT_TYPE.as_str(), "application/json"), (HEADER, &header(&signature))];
    Ok((headers, body).into_response())
}

/// Gives the calling node a new certificate for its key.
#[utoipa::path(
    post, path = "/agent/v1/renew", tag = "enrollment",
    request_body = Renew,
    responses((status = 200, body = Renewed)),
)]
async fn renew_certificate(
    State(app): State<Shared>,
    caller: NodeCaller,
    body: Body<Renew>,
) -> Result<Json<Renewed>, Fault> {
    Ok(Json(renew::renew(&app, caller, body.value).await?))
}

/// The hub's time, signed together with the asker's nonce.
#[utoipa::path(
    get, path = "/agent/v1/time", tag = "enrollment",
    params(TimeQuery),
    responses((status = 200, body = Envelope)),
)]
async fn time(State(app): State<Shared>, QueryOf(query): QueryOf<TimeQuery>) -> Result<Json<Envelope>, Fault> {
    if query.nonce.len() > 64 {
        return Err(refuse(ProblemCode::MalformedParameter, "nonce has at most 64 bytes."));
    }
    let message = SignedTime { nonce: query.nonce, now: app.clock.now() };
    let bytes = serde_json::to_vec(&message).map_err(|error| Fault::Broken(error.to_string()))?;
    Ok(Json(app.ring.held().signer().sign(TIME, &bytes)))
}
