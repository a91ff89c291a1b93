//! Finds out who is asking, from the session that a request shows.

use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, UPGRADE};
use axum::http::request::Parts;
use sortie_rules::ids::OrgId;
use sortie_rules::ids::SessionId;
use sortie_rules::limits::SESSION_GRACE;
use sortie_rules::org_settings::{SESSIONS_IDLE, SESSIONS_ROTATE};
use sortie_rules::sessions::{Shown, Terms, Verdict, judge};
use sortie_rules::time::Millis;
use sortie_store::sessions::{self, SessionRow};
use sortie_wire::problem::ProblemCode;

use super::cookie::{self, ShownSession};
use super::end::{end_in, forget};
use super::known::Known;
use super::origin::is_own;
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::identity::{Secret, secret_fits};
use crate::people::{Principal, bearer};

/// The cookie with a session's new secret, on its way into the answer.
#[derive(Debug, Clone)]
pub(crate) struct Renewed(pub(crate) HeaderValue);

/// Who is asking, if the request shows a session; nobody, if it shows something else or nothing.
pub(crate) async fn authenticate(app: &App, parts: &mut Parts) -> Result<Option<Principal>, Fault> {
    let shown = match parts.headers.get(AUTHORIZATION) {
        Some(value) => value.to_str().ok().and_then(bearer).and_then(cookie::from_token),
        None => cookie::from_cookies(&parts.headers),
    };
    let Some(shown) = shown else { return Ok(None) };
    // Any page can open a socket, and read from it what a plain request would not let it read.
    let is_harmless = parts.method.is_safe() && !parts.headers.contains_key(UPGRADE);
    if shown.by_cookie && !is_harmless && !is_own(&parts.headers, &parts.uri) {
        let detail = "This comes from a page of another site, or from a program that sends a browser's cookie; \
                      programs use a token.";
        return Err(refuse(ProblemCode::CrossSite, detail));
    }
    let (known, secret) = find(app, shown).await?.ok_or_else(over)?;
    let (id, now) = (shown.id, app.clock.now());
    let renewed = match judge(app.sessions.to_judge(&known), terms(app, known.row.org).await?, secret, now) {
        Verdict::Holds => None,
        Verdict::Rotate if shown.by_cookie => rotate(app, &known).await?,
        // A program has the secret that it was given, and never another.
        Verdict::Rotate if secret == Shown::Current => None,
        Verdict::Rotate => return Err(over()),
        Verdict::Ended => {
            end(app, &known, "timed_out").await?;
            return Err(over());
        }
        Verdict::Stolen => {
            tracing::warn!(session = %id, "A secret of a session was shown that had been replaced; the session ends");
            end(app, &known, "secret_reused").await?;
            return Err(over());
        }
    };
    if secret == Shown::Current && !known.row.confirmed {
        confirm(app, &known).await?;
    }
    app.sessions.note_used(id, now);
    if let Some(cookie) = renewed {
        parts.extensions.insert(Renewed(cookie));
    }
    Ok(Some(known.principal.clone()))
}

/// Until when a session holds, if nobody uses it; nothing if it has ended. For answers that go on after they
/// began.
pub(crate) async fn ends_at(app: &App, id: SessionId) -> Option<Millis> {
    let known = app.sessions.find(&app.store, id).await.ok().flatten()?;
    let (session, terms) = (app.sessions.to_judge(&known), terms(app, known.row.org).await.ok()?);
    Some(session.ends_at.min(session.last_used_at + terms.idle))
}

/// What the org has chosen for its sessions.
async fn terms(app: &App, org: OrgId) -> Result<Terms, Fault> {
    let idle = app.org_settings.read(&app.store, org, &SESSIONS_IDLE).await?;
    let rotate_after = app.org_settings.read(&app.store, org, &SESSIONS_ROTATE).await?;
    Ok(Terms { idle, rotate_after, grace: SESSION_GRACE.min(rotate_after) })
}

fn over() -> Fault {
    refuse(ProblemCode::Unauthenticated, "The session has ended, or never was; sign in.")
}

/// The session, and which of its secrets this is. Another hub may have replaced the secret a moment ago, so
/// one that does not fit is compared with the store's row, too.
async fn find(app: &App, shown: ShownSession<'_>) -> Result<Option<(Arc<Known>, Shown)>, Fault> {
    let Some(known) = app.sessions.find(&app.store, shown.id).await? else { return Ok(None) };
    if let Some(secret) = which(shown, &known.row) {
        return Ok(Some((known, secret)));
    }
    let id = shown.id;
    let row = app.store.read(move |tx| Box::pin(async move { sessions::get(tx, id).await })).await?;
    if row.is_none_or(|row| which(shown, &row).is_none()) {
        return Ok(None);
    }
    app.sessions.forget(id);
    let known = app.sessions.find(&app.store, id).await?;
    Ok(known.and_then(|known| which(shown, &known.row).map(|secret| (Arc::clone(&known), secret))))
}

fn which(shown: ShownSession<'_>, row: &SessionRow) -> Option<Shown> {
    if secret_fits(shown.secret, &row.secret_hash) {
        return Some(Shown::Current);
    }
    let fits = row.previous_hash.as_ref().is_some_and(|hash| secret_fits(shown.secret, hash));
    fits.then_some(Shown::Previous)
}

/// The secret that holds has been shown: from now on the one before it betrays a thief.
async fn confirm(app: &App, known: &Known) -> Result<(), Fault> {
    let (id, hash) = (known.row.id, known.row.secret_hash.clone());
    app.store.write(move |tx| Box::pin(async move { Ok::<_, Fault>(sessions::confirm(tx, id, &hash).await?) })).await?;
    app.sessions.forget(id);
    Ok(())
}

/// Replaces the secret. Nothing, if another request was quicker: its answer brings the new one.
async fn rotate(app: &App, known: &Known) -> Result<Option<HeaderValue>, Fault> {
    let (id, old, secret) = (known.row.id, known.row.secret_hash.clone(), Secret::draw(&app.entropy));
    let (new, now) = (secret.hash(), app.clock.now());
    let replaced = app
        .store
        .write(move |tx| Box::pin(async move { Ok::<_, Fault>(sessions::rotate(tx, id, &old, &new, now).await?) }))
        .await?;
    app.sessions.forget(id);
    if replaced { cookie::set(id, &secret).map(Some) } else { Ok(None) }
}

async fn end(app: &App, known: &Known, why: &'static str) -> Result<(), Fault> {
    let (row, now) = (known.row.clone(), app.clock.now());
    app.store.write(move |tx| Box::pin(async move { end_in(tx, &row, "hub", why, now).await })).await?;
    forget(app, known.row.id);
    Ok(())
}
