//! Signs somebody in with a password.

use std::net::IpAddr;

use sortie_rules::time::Span;
use sortie_store::accounts;
use sortie_wire::problem::ProblemCode;
use sortie_wire::sessions::SignIn;

use crate::app::App;
use crate::fault::{Fault, refuse, refuse_for};
use crate::sessions::{Begun, NewSession, begin, subject_of};

/// Begins a session, if name and password belong together. Who guesses is slowed.
pub(super) async fn sign_in(app: &App, address: IpAddr, request: SignIn) -> Result<Begun, Fault> {
    // A name that cannot be is not looked for, but it is slowed and takes as long as one that can.
    let name: String = request.name.chars().take(80).collect();
    app.slowing.begin(&name, address, app.clock.now()).map_err(too_often)?;
    let sought = name.clone();
    let looked_at = async {
        let row = app.store.read(move |tx| Box::pin(async move { accounts::named(tx, &sought).await })).await?;
        let row = row.filter(|row| row.disabled_at.is_none());
        let hash = row.as_ref().map(|row| row.password_hash.clone());
        Ok::<_, Fault>((row, app.hashing.fits(request.password, hash).await?))
    };
    // A hub that is busy is no failure of whoever signs in.
    let (row, fits) = looked_at.await.inspect_err(|_| app.slowing.take_back(&name, address))?;
    let Some(row) = row.filter(|_| fits) else {
        metrics::counter!("sortie_sign_ins_failed_total").increment(1);
        tracing::info!(%address, "A sign-in failed");
        return Err(refuse(ProblemCode::Unauthenticated, "Name or password is wrong, or the account is disabled."));
    };
    app.slowing.succeeded(&name, address);
    let session = NewSession {
        org: row.org,
        subject: subject_of(row.id),
        name: row.name.clone(),
        role: row.role,
        provider: None,
        account: Some(row),
    };
    begin(app, session).await
}

/// What is told to somebody who has to wait for the next try.
pub(super) fn too_often(wait: Span) -> Fault {
    metrics::counter!("sortie_sign_ins_slowed_total").increment(1);
    let seconds = (wait.0 + 999) / 1000;
    refuse_for(wait, ProblemCode::RateLimited, format!("Too many tries have failed; try again in {seconds} s."))
}
