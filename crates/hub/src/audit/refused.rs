//! What was refused to somebody who is known: written down as well, up to a limit for each of them, so that
//! nobody fills the disk by asking for what they may not have.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sortie_rules::audit::Refusals;
use sortie_rules::ids::OrgId;
use sortie_rules::limits::AUDIT_REFUSED_CALLERS_MAX;
use sortie_rules::time::Millis;
use sortie_wire::problem::ProblemCode;

use super::act::{Act, record};
use crate::app::App;
use crate::fault::Fault;
use crate::people::Principal;

/// What each caller was refused lately.
#[derive(Debug, Default)]
pub(crate) struct Refused(Mutex<HashMap<(OrgId, String), Refusals>>);

impl Refused {
    /// How many were left out before this one, if it is to be written down.
    fn one_more(&self, whose: (OrgId, String), now: Millis) -> Option<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= AUDIT_REFUSED_CALLERS_MAX && !all.contains_key(&whose) {
            all.retain(|_, refusals| !refusals.is_over(now));
            if all.len() >= AUDIT_REFUSED_CALLERS_MAX {
                // So many callers at once are nobody's people; those that come later are counted in the log only.
                return None;
            }
        }
        let refusals = all.entry(whose).or_insert_with(|| Refusals::none(now));
        let (after, omitted) = refusals.one_more(now);
        *refusals = after;
        omitted
    }

    /// Forgets callers who were refused nothing lately.
    pub(crate) fn tidy(&self, now: Millis) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, refusals| !refusals.is_over(now));
    }
}

/// Somebody asked for what they may not do.
pub(crate) async fn forbidden(app: &App, who: &Principal, code: ProblemCode) {
    match Act::by(who, app.clock.now()) {
        Ok(act) => refuse(app, act, who.subject.as_ref(), code).await,
        Err(error) => tracing::error!(%error, "A refusal could not be written into the audit log"),
    }
}

/// Writes a refusal down, unless this one was refused too much already.
pub(crate) async fn refuse(app: &App, act: Act, whose: &str, code: ProblemCode) {
    let now = app.clock.now();
    let Some(omitted) = app.refused.one_more((act.org(), whose.to_owned()), now) else { return };
    let act = act.refused(code, omitted);
    let written = app.store.write(move |tx| Box::pin(async move { Ok::<_, Fault>(record(tx, act).await?) })).await;
    if let Err(error) = written {
        // The answer stays a refusal.
        tracing::error!(%error, "A refusal could not be written into the audit log");
    }
}
