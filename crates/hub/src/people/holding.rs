//! Whether what a caller came with holds still: for answers that go on after they began.

use std::time::Duration;

use super::authenticate::TokenCache;
use super::principal::{Principal, Proof};
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::sessions;
use sortie_rules::time::Millis;
use sortie_wire::problem::ProblemCode;

/// Longest sleep until a proof's end is looked at again, should the machine's clock be moved meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Until when the proof of a caller holds; the inner `None` is for ever.
async fn holds_until(app: &App, who: &Principal) -> Option<Option<Millis>> {
    match &who.proof {
        Proof::Token(id) => TokenCache::ends_at(app, *id).await,
        Proof::Session(id) => sessions::ends_at(app, *id).await.map(Some),
        Proof::Provider(token) if app.denied.holds(token.org, &token.jti) => None,
        Proof::Provider(token) => Some(Some(token.ends_at)),
    }
}

/// Whether the proof that a caller came with holds still.
pub(crate) async fn still_holds(app: &App, who: &Principal) -> bool {
    holds_until(app, who).await.is_some_and(|end| end.is_none_or(|end| app.clock.now() < end))
}

/// What is answered to somebody whose proof has ended while their request was held.
pub(crate) fn ended() -> Fault {
    refuse(ProblemCode::Unauthenticated, "What you came with has ended while you waited; come with what holds.")
}

/// Waits until the proof that a caller came with holds no more. Costs nothing until then.
pub(crate) async fn holds_no_more(app: &App, who: &Principal) {
    let mut changes = app.people.changes();
    loop {
        changes.mark_unchanged();
        let Some(end) = holds_until(app, who).await else { return };
        let left = end.map(|end| end.since(app.clock.now()).to_std());
        if left == Some(Duration::ZERO) {
            return;
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(left.unwrap_or(LOOK_EVERY).min(LOOK_EVERY)), if left.is_some() => {}
        }
    }
}
