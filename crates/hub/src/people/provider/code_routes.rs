//! `/auth/begin` and `/auth/callback`: for browsers, so what they answer is for people.

use axum::extract::{Query, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use serde::Deserialize;
use sortie_rules::access::Need;
use sortie_rules::audit::Action;
use utoipa_axum::routes;

use super::code_flow::{CameBack, arrive, depart};
use super::code_state;
use crate::app::Shared;
use crate::audit::Asked;
use crate::fault::Fault;
use crate::http::{Audience, Routes};

/// Adds the routes of this flow.
pub(crate) fn add(routes: Routes) -> Routes {
    routes.add(Audience::People, Need::Nobody, routes!(begin_sign_in)).does(
        Audience::People,
        Need::Nobody,
        Action::SessionBegin,
        routes!(finish_sign_in),
    )
}

/// The query of the first.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
struct Begin {
    /// The path of the hub's to go to afterwards.
    return_to: Option<String>,
}

/// Sends a browser to the identity provider to sign in.
#[utoipa::path(get, path = "/auth/begin", tag = "people", params(Begin),
    responses((status = 303, description = "To the provider's page")))]
async fn begin_sign_in(State(app): State<Shared>, query: Query<Begin>) -> Response {
    let departed = depart(&app, query.0.return_to).and_then(|(address, state)| Ok((address, state.cookie(&app)?)));
    match departed {
        Ok((address, cookie)) => {
            (StatusCode::SEE_OTHER, AppendHeaders([(SET_COOKIE, cookie)]), [(LOCATION, address)]).into_response()
        }
        Err(fault) => told(&fault),
    }
}

/// Where the identity provider's page leads back to. The browser gets a session.
#[utoipa::path(get, path = "/auth/callback", tag = "people",
    responses((status = 200, description = "A page that goes on", content_type = "text/html")))]
async fn finish_sign_in(
    State(app): State<Shared>,
    Asked(asking): Asked,
    headers: HeaderMap,
    query: Query<CameBack>,
) -> Response {
    let arrived = match arrive(&app, &asking, &headers, query.0).await {
        Ok((begun, return_to)) => begun.cookie().and_then(|cookie| Ok((cookie, code_state::unset()?, return_to))),
        Err(fault) => Err(fault),
    };
    match arrived {
        Ok((session, gone, return_to)) => {
            // Not a redirect: the session's cookie is sent only where a page of the hub's own leads.
            let return_to = escaped(&return_to);
            let go = format!("<meta http-equiv=\"refresh\" content=\"0;url={return_to}\">");
            let text = format!("You are signed in. <a href=\"{return_to}\">Go on</a>");
            (session, AppendHeaders([(SET_COOKIE, gone)]), page("Signed in", &go, &text)).into_response()
        }
        Err(fault) => told(&fault),
    }
}

/// A refusal as a page.
fn told(fault: &Fault) -> Response {
    let problem = fault.to_problem();
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if fault.is_ours() {
        tracing::error!(error = %fault, "A sign-in failed through a fault of the hub");
    }
    let text = format!("{} <a href=\"/auth/begin\">Sign in</a>", escaped(&problem.detail));
    (status, page("Not signed in", "", &text)).into_response()
}

fn page(title: &str, head: &str, text: &str) -> impl axum::response::IntoResponse {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">{head}<title>{title}</title></head>\
         <body><h1>{title}</h1><p>{text}</p></body></html>\n"
    );
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], html)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
