//! Whether a run may begin that only operators may ask for, by the site's policy.

use sortie_rules::ids::TaskId;
use sortie_rules::limits::OPERATION_LIFE_MAX;
use sortie_wire::deliveries::HandedTask;
use tokio_util::sync::CancellationToken;

use super::run::Runner;
use crate::handlers::Failure;
use crate::operations::{Bearer, Borne, Known, Site, Verified, open, replayed, unusable};

/// What became of the question.
pub(super) enum Signed {
    /// Operators have signed it, and this is what its handler gets.
    Yes(Verified),
    /// It is refused, or was called off while it waited.
    No(Failure),
    /// The agent ends before it is answered.
    Abandoned,
}

impl Runner {
    /// Whether enough operators have signed this run. If newer operators are heard of, it waits until they are
    /// here, or its time has passed.
    pub(super) async fn is_signed(&self, handed: &HandedTask, needed: u32, stop: &CancellationToken) -> Signed {
        let bearer = bearer(handed);
        let opened = match open(bearer) {
            Ok(opened) => opened,
            Err(failure) => return Signed::No(failure),
        };
        let patience = opened.expires_at().since(self.operation_time.now()).min(OPERATION_LIFE_MAX);
        let known = tokio::select! {
            known = self.standing.newest() => known,
            // Whoever stands here now says no, since its time has passed.
            () = tokio::time::sleep(patience.to_std()) => self.standing.known(),
            () = stop.cancelled() => return Signed::No(Failure::Cancelled),
            () = self.abandon.cancelled() => return Signed::Abandoned,
        };
        let known = match known {
            Ok(known) => known,
            Err(error) => return Signed::No(unusable(&error)),
        };
        let verified = match opened.verify(bearer, self.site(needed, &known)) {
            Ok(verified) => verified,
            Err(failure) => return Signed::No(failure),
        };
        match self.claim(borne(handed, &verified)).await {
            Some(owner) if owner == handed.id => Signed::Yes(verified),
            Some(owner) => Signed::No(replayed(owner)),
            None => Signed::Abandoned,
        }
    }

    /// The nonce of a task's operation, if that holds by what is known now: it is written down together with the
    /// run. Where newer operators are awaited it is written down when they are here.
    pub(crate) fn nonce_of(&self, handed: &HandedTask) -> Option<Borne> {
        let needed = self.policy.now().signatures(&handed.type_name)?;
        let opened = open(bearer(handed)).ok()?;
        let known = self.standing.known().ok()?;
        let verified = opened.verify(bearer(handed), self.site(needed, &known)).ok()?;
        Some(borne(handed, &verified))
    }

    fn site<'s>(&'s self, needed: u32, known: &'s Known) -> Site<'s> {
        Site { node: self.me.node, key: &self.me.key, needed, known, now: self.operation_time.now() }
    }

    /// Whose nonce it is; `None` if the agent ends before that is written.
    async fn claim(&self, borne: Borne) -> Option<TaskId> {
        self.insist("write down the nonce of an operation", || self.ledger.claim(borne.clone())).await
    }
}

fn bearer(handed: &HandedTask) -> Bearer<'_> {
    let operation = handed.operation.as_deref();
    Bearer { task: handed.id, run: handed.run, type_name: &handed.type_name, operation }
}

fn borne(handed: &HandedTask, verified: &Verified) -> Borne {
    Borne { nonce: verified.nonce.clone(), operation: handed.id, expires_at: verified.expires_at }
}
