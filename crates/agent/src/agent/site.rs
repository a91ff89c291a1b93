//! The parts that look after the site beside its tasks: what it should be, and what it tells of itself.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::error::AgentError;
use crate::desired::{Desk, Following, Heard, Kept, Memory, Own, Reconciler, Supervisor, Teller, opening_key};
use crate::hub::Hub;
use crate::reports::{Outbox, Reports, Telling};
use crate::runner::Runner;

/// The loops, which have not begun.
pub(super) struct Site {
    /// What deliveries tell of the desired state.
    pub(super) heard: Arc<Heard>,
    pub(super) following: Following,
    pub(super) reconciler: Reconciler,
    pub(super) teller: Teller,
    /// The services that the agent runs.
    pub(super) supervisor: Arc<Supervisor>,
    pub(super) reports: Reports,
}

impl Site {
    /// Connects them, with what lies on disk. The first token rings when nothing new is to be taken, the second when
    /// everything is to end.
    pub(super) fn start(
        runner: &Arc<Runner>,
        hub: &Arc<Hub>,
        own: Own,
        folder: &Path,
        (stop_taking, stop): (&CancellationToken, &CancellationToken),
    ) -> Result<Site, AgentError> {
        let (clock, entropy) = (runner.clock.clone(), runner.entropy.clone());
        let kept = Kept::read(folder, &hub.keys().verifier, hub.node())?;
        let desk = Arc::new(Desk::new(kept, Memory::read(folder)?, clock.clone()));
        desk.note_policy(runner.policy.now().unusable());
        let key = opening_key(folder)?;
        let heard = Arc::new(Heard::new());
        let following = Following {
            heard: Arc::clone(&heard),
            desk: Arc::clone(&desk),
            hub: Arc::clone(hub),
            folder: folder.to_owned(),
            seal_to: key.seal_to().clone(),
            entropy: entropy.clone(),
            stop: stop.clone(),
        };
        let teller =
            Teller { desk: Arc::clone(&desk), hub: Arc::clone(hub), entropy: entropy.clone(), stop: stop.clone() };
        let supervisor = Arc::new(Supervisor::new(runner.places.clone(), entropy.clone(), stop_taking.clone()));
        let reports = Reports {
            runner: Arc::clone(runner),
            hub: Arc::clone(hub),
            outbox: Arc::new(Outbox::default()),
            telling: Arc::new(Telling::new(runner.ledger.clone(), entropy.clone())),
            data: folder.to_owned(),
            stop: stop.clone(),
        };
        let reconciler = Reconciler {
            desk,
            runner: Arc::clone(runner),
            supervisor: Arc::clone(&supervisor),
            key,
            own,
            clock,
            entropy,
            stop: stop_taking.clone(),
        };
        Ok(Site { heard, following, reconciler, teller, supervisor, reports })
    }
}
