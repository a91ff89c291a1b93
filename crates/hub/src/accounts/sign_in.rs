//! Signs somebody in with a password.

use std::net::IpAddr;
use std::sync::Arc;

use sortie_rules::time::Span;
use sortie_store::accounts::{self, AccountRow};
use sortie_wire::problem::ProblemCode;
use sortie_wire::sessions::SignIn;

use crate::app::Shared;
use crate::audit::{self, Act, Asking};
use crate::fault::{Fault, refuse, refuse_for};
use crate::sessions::{Begun, NewSession, begin, subject_of};

/// Begins a session, if name and password belong together. Who guesses is slowed.
pub(super) async fn sign_in(
    app: &Shared,
    asking: &Arc<Asking>,
    address: IpAddr,
    request: SignIn,
) -> Result<Begun, Fault> {
    // A name that cannot be is not looked for, but it is slowed and takes as long as one that can.
    let name: String = request.name.chars().take(80).collect();
    app.slowing.begin(&name, address, app.clock.now()).map_err(too_often)?;
    let sought = name.clone();
    let looked_at = async {
        let row = app.store.read(move |tx| Box::pin(async move { accounts::named(tx, &sought).await })).await?;
        // An account that is disabled takes as long as one that is not.
        let hash = row.as_ref().map(|row| row.password_hash.clone());
        Ok::<_, Fault>((row, app.hashing.fits(request.password, hash).await?))
    };
    // A hub that is busy is no failure of whoever signs in.
    let (row, fits) = looked_at.await.inspect_err(|_| app.slowing.take_back(&name, address))?;
    if let Some(why) = why_not(row.as_ref(), fits) {
        failed(app, asking, address, row, why);
        return Err(refuse(ProblemCode::Unauthenticated, "Name or password is wrong, or the account is disabled."));
    }
    let row = row.ok_or_else(|| Fault::Broken("an account that is none".to_owned()))?;
    app.slowing.succeeded(&name, address);
    let session = NewSession {
        org: row.org,
        subject: subject_of(row.id),
        name: row.name.clone(),
        role: row.role,
        provider: None,
        account: Some(row),
    };
    begin(app, asking, session).await
}

/// Why this is not signed in to, if it is not.
fn why_not(row: Option<&AccountRow>, fits: bool) -> Option<&'static str> {
    match row {
        None => Some("unknown_account"),
        Some(_) if !fits => Some("wrong_password"),
        Some(row) if row.disabled_at.is_some() => Some("disabled"),
        Some(_) => None,
    }
}

/// Says so where the hub's owner looks, and in the audit log of the account's org. Nobody waits for that: how long
/// the answer takes must not tell whether there is such an account.
fn failed(app: &Shared, asking: &Arc<Asking>, address: IpAddr, row: Option<AccountRow>, why: &'static str) {
    metrics::counter!("sortie_sign_ins_failed_total").increment(1);
    // A name that is none may be a password that was typed into the wrong field.
    let account = row.as_ref().map_or("(none of this hub)", |row| row.name.as_str());
    tracing::info!(%address, account, why, "A sign-in failed");
    if let Some(row) = row {
        let (app, asking) = (app.clone(), Arc::clone(asking));
        tokio::spawn(async move {
            let subject = subject_of(row.id);
            let act = Act::by_subject(&asking, row.org, (&subject, &row.name), app.clock.now());
            let act = act.on("account", row.id).named(&row.name).changes(serde_json::json!({ "why": why }));
            audit::refuse(&app, act, &subject, ProblemCode::Unauthenticated).await;
        });
    }
}

/// What is told to somebody who has to wait for the next try.
pub(super) fn too_often(wait: Span) -> Fault {
    metrics::counter!("sortie_sign_ins_slowed_total").increment(1);
    let seconds = (wait.0 + 999) / 1000;
    refuse_for(wait, ProblemCode::RateLimited, format!("Too many tries have failed; try again in {seconds} s."))
}
