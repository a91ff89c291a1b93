//! The loop that fetches the node's desired state when the hub has another than was accepted, and takes it if it is to
//! be believed.

use std::path::PathBuf;
use std::sync::Arc;

use sortie_client::ClientError;
use sortie_rules::backoff::Backoff;
use sortie_rules::time::Span;
use sortie_wire::desired::{DesiredAnswer, DesiredQuery};
use sortie_wire::envelope::{Distrust, Envelope};
use sortie_wire::sealing::SealTo;
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::heard::{Heard, Word};
use super::kept::Kept;
use super::verify::{NotTaken, take};
use crate::clock::Entropy;
use crate::data_folder::FolderError;
use crate::hub::Hub;

/// How the waits between two questions grow while the hub does not answer, or has nothing of what it tells.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::minutes(1) };
/// The same while what it has is refused.
const AFTER_REFUSALS: Backoff = Backoff { first: Span::minutes(1), cap: Span::hours(1) };

/// The loop.
#[derive(Debug)]
pub(crate) struct Following {
    pub(crate) heard: Arc<Heard>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) folder: PathBuf,
    pub(crate) seal_to: SealTo,
    pub(crate) entropy: Entropy,
    pub(crate) stop: CancellationToken,
}

/// What came of a question.
enum Came {
    /// Something was accepted, or is already.
    Taken,
    /// The hub has nothing newer.
    Nothing,
    /// What it has is refused.
    Refused,
}

#[derive(Debug, thiserror::Error)]
enum NotFetched {
    #[error(transparent)]
    Call(#[from] ClientError),
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl Following {
    /// Asks whenever there is something to ask for, until it is told to stop.
    pub(crate) async fn run(self) {
        let mut heard = self.heard.subscribe();
        // The word that the hub has answered with nothing, and what was accepted then.
        let mut answered = None;
        let (mut failures, mut refusals) = (0, 0);
        while !self.stop.is_cancelled() {
            let word = *heard.borrow_and_update();
            let asks = word.is_news(self.accepted()) && answered != Some((word, self.accepted()));
            let wait = if asks {
                match self.ask(word).await {
                    Ok(Came::Taken) => {
                        (failures, refusals) = (0, 0);
                        continue;
                    }
                    // A hub that tells of less has answered; one that tells of more will have it in a moment.
                    Ok(Came::Nothing) if word.generation < Some(self.accepted()) => {
                        answered = Some((word, self.accepted()));
                        continue;
                    }
                    Ok(Came::Nothing) => {
                        failures += 1;
                        Some(BACKOFF.wait(failures, self.entropy.draw()))
                    }
                    Ok(Came::Refused) => {
                        refusals += 1;
                        Some(AFTER_REFUSALS.wait(refusals, self.entropy.draw()))
                    }
                    Err(error) => {
                        failures += 1;
                        let wait = BACKOFF.wait(failures, self.entropy.draw());
                        tracing::warn!(%error, wait_ms = wait.0, "the desired state could not be fetched; it will \
                         be tried again");
                        Some(wait)
                    }
                }
            } else {
                None
            };
            let tired = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait.to_std()).await,
                    None => std::future::pending().await,
                }
            };
            // Another generation is worth a question at once, unless the hub does not answer.
            tokio::select! {
                () = tired => {}
                _ = heard.changed(), if failures == 0 => refusals = 0,
                () = self.stop.cancelled() => {}
            }
        }
    }

    fn accepted(&self) -> u64 {
        self.desk.accepted().accepted.generation
    }

    async fn ask(&self, word: Word) -> Result<Came, NotFetched> {
        let query = DesiredQuery { after: self.accepted(), seal_to: self.seal_to.to_string() };
        let DesiredAnswer { state } = self.hub.line().desired(self.hub.node(), &query).await?;
        let Some(envelope) = state else { return Ok(Came::Nothing) };
        match self.take(&envelope).await? {
            Ok(()) => Ok(Came::Taken),
            Err(refused) => {
                let refused = refused.tell(word.generation.unwrap_or_default());
                let (generation, code) = (refused.generation, refused.code.clone());
                let message = refused.message.clone();
                if self.desk.refuse(refused) {
                    tracing::error!(
                        generation,
                        code,
                        "the desired state was not accepted; the one before stays: {message}"
                    );
                }
                Ok(Came::Refused)
            }
        }
    }

    /// Accepts what an envelope holds, on disk before it is acted on.
    async fn take(&self, envelope: &Envelope) -> Result<Result<(), NotTaken>, NotFetched> {
        let (me, accepted) = (self.hub.node(), self.desk.accepted());
        let opened = match take(envelope, &self.hub.keys().verifier, me, &accepted.accepted) {
            // The hub may sign with a key that is newer than our set.
            Err(NotTaken::Distrusted(Distrust::UnknownKey)) => {
                if let Err(error) = self.hub.follow_keys().await {
                    tracing::warn!(%error, "the hub's newer key set was not taken");
                }
                take(envelope, &self.hub.keys().verifier, me, &accepted.accepted)
            }
            opened => opened,
        };
        match opened {
            Err(refused) => Ok(Err(refused)),
            Ok(None) => Ok(Ok(())),
            Ok(Some(opened)) => {
                let (generation, resources) = (opened.state.generation, opened.state.resources.len());
                Kept::write(&self.folder, envelope, &opened.digest)?;
                tracing::info!(generation, resources, "another desired state was accepted");
                self.desk.accept(Kept::of(opened));
                Ok(Ok(()))
            }
        }
    }
}
