//! Signing in from a browser: the authorisation code flow with PKCE (RFC 7636). The browser goes to the
//! provider and comes back with a code, the hub fetches the tokens for it, and the browser gets a session.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sortie_wire::problem::ProblemCode;

use super::client::Provider;
use super::code_state::CodeState;
use super::discovery::{body, root_cause};
use super::log_out::form;
use super::verify::{authenticate, away};
use crate::app::App;
use crate::audit::Asking;
use crate::fault::{Fault, refuse};
use crate::sessions::{Begun, NewSession, begin};

/// The path at which the provider's page leads back.
const CALLBACK: &str = "/auth/callback";

/// What a browser comes back with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CameBack {
    code: String,
    state: String,
    /// Who sends it back (RFC 9207), where the provider says so.
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// The tokens that the provider gives for a code.
#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: Option<String>,
}

/// Where the browser is to go, and the sign-in that has begun.
pub(super) fn depart(app: &App, return_to: Option<String>) -> Result<(String, CodeState), Fault> {
    let provider = provider(app)?;
    let known = provider.0.known.load_full().ok_or_else(away)?;
    let address = known.metadata.authorization_endpoint.as_deref();
    let address = address.ok_or_else(|| failed("The identity provider has no page to sign in at."))?;
    let (state, settings) = (CodeState::begin(app, return_to), &provider.0.settings);
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, state.verifier.as_bytes()));
    let fields = form(&[
        ("response_type", "code"),
        ("client_id", settings.client_id.as_deref().unwrap_or_default()),
        ("redirect_uri", &redirect_uri(app)),
        ("scope", &settings.scopes),
        ("state", &state.state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let mark = if address.contains('?') { '&' } else { '?' };
    Ok((format!("{address}{mark}{fields}"), state))
}

/// Begins a session for whoever comes back. Says also where they wanted to go.
pub(super) async fn arrive(
    app: &App,
    asking: &Asking,
    headers: &HeaderMap,
    came: CameBack,
) -> Result<(Begun, String), Fault> {
    let provider = provider(app)?;
    let own = CodeState::of(app, headers)
        .filter(|own| verify_slices_are_equal(own.state.as_bytes(), came.state.as_bytes()).is_ok())
        .ok_or_else(|| failed("This sign-in was not begun in this browser, or too long ago; begin anew."))?;
    let issuer = provider.0.settings.issuer.as_deref();
    if came.iss.as_deref().is_some_and(|iss| Some(iss) != issuer) {
        return Err(failed("Another identity provider sends you back than the one that you were sent to."));
    }
    if let Some(error) = came.error {
        let why: String =
            came.error_description.unwrap_or(error).chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(failed(format!("The identity provider did not sign you in: {why}.")));
    }
    let tokens = fetch(app, provider, &came.code, &own.verifier).await?;
    let who = authenticate(app, provider, &tokens.access_token).await?;
    // By either of the two the provider can end the sign-in later; the refresh token lives longer.
    let kept = tokens.refresh_token.unwrap_or(tokens.access_token);
    let session = NewSession {
        org: who.org,
        subject: who.key.to_string(),
        name: who.name.to_string(),
        role: who.role,
        provider: Some(app.keys.seal("session", kept.as_bytes())),
        account: None,
    };
    Ok((begin(app, asking, session).await?, own.return_to))
}

async fn fetch(app: &App, provider: &Provider, code: &str, verifier: &str) -> Result<Tokens, Fault> {
    let inner = &provider.0;
    let known = inner.known.load_full().ok_or_else(away)?;
    let (redirect_uri, client_id) = (redirect_uri(app), inner.settings.client_id.as_deref().unwrap_or_default());
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect_uri),
        ("client_id", client_id),
        ("code_verifier", verifier),
    ];
    fields.extend(inner.secret.as_deref().map(|secret| ("client_secret", secret)));
    let request = inner.http.post(&known.metadata.token_endpoint);
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form(&fields));
    let answer = request.send().await.map_err(|error| {
        tracing::warn!(why = root_cause(&error.without_url()), "The identity provider gave no token for a code");
        away()
    })?;
    let status = answer.status().as_u16();
    let text = body(answer).await.map_err(|why| {
        tracing::warn!(why, "The identity provider gave no token for a code");
        away()
    })?;
    if status != 200 {
        // Not the answer itself: it may hold what was sent.
        tracing::info!(status, "The identity provider refused a code");
        return Err(failed("The identity provider takes this sign-in for over; begin anew."));
    }
    serde_json::from_slice(&text).map_err(|_| failed("The identity provider answered without a token."))
}

fn provider(app: &App) -> Result<&Provider, Fault> {
    let none = "This hub has no identity provider; sign in with a password or a token.";
    app.provider.as_ref().ok_or_else(|| refuse(ProblemCode::NotSignedIn, none))
}

/// Where the provider's page leads back to: what its operator has to let in.
fn redirect_uri(app: &App) -> String {
    format!("{}{CALLBACK}", app.url.trim_end_matches('/'))
}

fn failed(why: impl Into<String>) -> Fault {
    refuse(ProblemCode::Unauthenticated, why)
}
