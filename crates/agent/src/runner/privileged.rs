//! Whether a run may begin that only operators may ask for, by the site's policy.

use sortie_rules::ids::TaskId;
use sortie_rules::limits::OPERATION_LIFE_MAX;
use sortie_wire::deliveries::HandedTask;
use tokio_util::sync::CancellationToken;

use super::run::Runner;
use crate::handlers::Failure;
use crate::operations::{Bearer, Borne, Site, Verified, open, replayed, unusable};

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
        let bearer = Bearer {
            task: handed.id,
            run: handed.run,
            type_name: &handed.type_name,
            operation: handed.operation.as_deref(),
        };
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
        let (node, key) = (self.me.node, self.me.key.as_str());
        let site = Site { node, key, needed, known: &known, now: self.operation_time.now() };
        let verified = match opened.verify(bearer, site) {
            Ok(verified) => verified,
            Err(failure) => return Signed::No(failure),
        };
        let (nonce, expires_at) = (verified.nonce.clone(), verified.expires_at);
        match self.claim(Borne { nonce, operation: handed.id, expires_at }).await {
            Some(owner) if owner == handed.id => Signed::Yes(verified),
            Some(owner) => Signed::No(replayed(owner)),
            None => Signed::Abandoned,
        }
    }

    /// Whose nonce it is; `None` if the agent ends before that is written.
    async fn claim(&self, borne: Borne) -> Option<TaskId> {
        self.insist("write down the nonce of an operation", || self.ledger.claim(borne.clone())).await
    }
}
