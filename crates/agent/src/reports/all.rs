//! The loops of reports, until the agent ends.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::outbox::Outbox;
use super::tell::Telling;
use crate::hub::Hub;
use crate::runner::Runner;

/// What makes reports and sends them.
#[derive(Debug)]
pub(crate) struct Reports {
    pub(crate) runner: Arc<Runner>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) telling: Arc<Telling>,
    /// The agent's data folder, whose disk is told of.
    pub(crate) data: PathBuf,
    /// Rings when the agent ends: what was not sent is made anew after the next start.
    pub(crate) stop: CancellationToken,
}

impl Reports {
    /// Runs them.
    pub(crate) async fn run(self) {
        let loops = async { tokio::join!(self.tell_facts(), self.run_programs(), self.send(), self.tell()) };
        tokio::select! {
            _never = loops => {}
            () = self.stop.cancelled() => {}
        }
    }
}
