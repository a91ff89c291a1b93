//! Keeps the site's operators as new as the hub says that they are. The hub's word is only a reason to ask;
//! what it hands on counts as far as the set that stands here vouches for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sortie_client::ClientError;
use sortie_rules::backoff::Backoff;
use sortie_rules::time::Span;
use sortie_wire::operators::OperatorChain;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::follow::{NotTaken, follow};
use super::known::{Known, Unusable, change};
use crate::clock::Entropy;
use crate::hub::Hub;

/// How the waits between two questions grow while the hub does not answer.
const BACKOFF: Backoff = Backoff { first: Span::seconds(1), cap: Span::seconds(60) };

/// The site's operators, and whether they are the newest that are heard of.
#[derive(Debug)]
pub(crate) struct Standing {
    folder: PathBuf,
    heard: watch::Sender<Heard>,
    /// Rings when a run waits for an answer.
    asked: Notify,
}

#[derive(Debug, Clone, Default)]
struct Heard {
    /// The newest version of which the hub has told.
    version: u64,
    /// The question that the hub has answered: what it had told, and what was known then.
    answered: Option<(u64, Option<String>)>,
}

/// The loop that asks the hub for what follows.
#[derive(Debug)]
pub(crate) struct Following {
    pub(crate) standing: Arc<Standing>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) entropy: Entropy,
    pub(crate) stop: CancellationToken,
}

impl Standing {
    /// The operators of this data folder; the hub has told of this version in an earlier life.
    pub(crate) fn new(folder: PathBuf, version: u64) -> Standing {
        Standing { folder, heard: watch::Sender::new(Heard { version, answered: None }), asked: Notify::new() }
    }

    /// A verified delivery tells of this version.
    pub(crate) fn hear(&self, version: u64) {
        self.heard.send_if_modified(|heard| {
            let is_newer = version > heard.version;
            heard.version = heard.version.max(version);
            is_newer
        });
    }

    /// Whom the site believes, once the hub has handed on what it told of: never ends while that is asked
    /// for and nobody answers.
    pub(crate) async fn newest(&self) -> Result<Known, Unusable> {
        let mut heard = self.heard.subscribe();
        loop {
            let now = heard.borrow_and_update().clone();
            let known = Known::read(&self.folder)?;
            if now.needs_nothing(&known) {
                return Ok(known);
            }
            self.asked.notify_one();
            // The sender lives as long as this.
            let _changed = heard.changed().await;
        }
    }

    /// Whom the site believes at this moment.
    pub(crate) fn known(&self) -> Result<Known, Unusable> {
        Known::read(&self.folder)
    }

    fn answered(&self, version: u64) {
        let fingerprint = Known::read(&self.folder).ok().and_then(|known| known.fingerprint().map(str::to_owned));
        self.heard.send_modify(|heard| heard.answered = Some((version, fingerprint)));
    }
}

impl Heard {
    fn needs_nothing(&self, known: &Known) -> bool {
        let is_answered = |(version, fingerprint): &(u64, Option<String>)| {
            *version >= self.version && fingerprint.as_deref() == known.fingerprint()
        };
        *known == Known::Nobody || known.version() >= self.version || self.answered.as_ref().is_some_and(is_answered)
    }
}

#[derive(Debug, thiserror::Error)]
enum NotFetched {
    #[error(transparent)]
    Call(#[from] ClientError),
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl Following {
    /// Asks whenever there is something to ask for, until it is told to stop.
    pub(crate) async fn run(self) {
        let mut heard = self.standing.heard.subscribe();
        let mut failures = 0;
        while !self.stop.is_cancelled() {
            let now = heard.borrow_and_update().clone();
            let wait = match self.look(&now).await {
                Ok(true) => None,
                Ok(false) => {
                    failures = 0;
                    continue;
                }
                Err(error) => {
                    failures += 1;
                    let wait = BACKOFF.wait(failures, self.entropy.draw());
                    tracing::warn!(
                        %error, wait_ms = wait.0,
                        "the newer operators could not be fetched; operations wait, and it will be tried again"
                    );
                    Some(wait)
                }
            };
            let tired = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait.to_std()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tired => {}
                _ = heard.changed(), if wait.is_none() => {}
                () = self.standing.asked.notified(), if wait.is_none() => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// Fetches what is missing. Says whether there was nothing to fetch.
    async fn look(&self, heard: &Heard) -> Result<bool, NotFetched> {
        let known = self.standing.known()?;
        if heard.needs_nothing(&known) {
            return Ok(true);
        }
        let chain = self.hub.line().operators(self.hub.node(), known.version()).await?;
        match take(&self.standing.folder, &chain) {
            Ok(next) if next.version() > known.version() => {
                tracing::info!(
                    version = next.version(),
                    "the operators of this site have changed, as those before signed"
                );
                if next.version() < heard.version {
                    return Ok(false);
                }
            }
            Ok(_) => tracing::warn!(
                version = known.version(),
                told = heard.version,
                "the hub tells of newer operators and has none that follow those of this site"
            ),
            Err(Refused::NotTaken(NotTaken::NotAwaited(fingerprint))) => tracing::warn!(
                fingerprint,
                "this site waits for the operators of this fingerprint, and the hub has none of them yet; if it was \
                 mistyped, give the right one, or their file, with `sortie agent operators … --replace`"
            ),
            Err(Refused::NotTaken(error)) => {
                tracing::error!(%error, "operators that the hub handed on are refused; those who stand here stay");
            }
            Err(Refused::Unusable(error)) => return Err(error.into()),
        }
        self.standing.answered(heard.version);
        Ok(false)
    }
}

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

/// Takes what follows, on disk.
fn take(folder: &Path, chain: &OperatorChain) -> Result<Known, Refused> {
    change(folder, |known| {
        let believed = follow(&known?, chain)?;
        Ok(believed.map(|believed| Known::Set(Box::new(believed))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_that_knows_nobody_or_the_newest_asks_for_nothing() {
        let pinned = Known::Pinned("ab".to_owned());
        let heard = |version, answered: Option<(u64, &str)>| Heard {
            version,
            answered: answered.map(|(version, fingerprint)| (version, Some(fingerprint.to_owned()))),
        };
        assert!(heard(3, None).needs_nothing(&Known::Nobody));
        assert!(heard(0, None).needs_nothing(&pinned));
        assert!(!heard(3, None).needs_nothing(&pinned));
        assert!(heard(3, Some((3, "ab"))).needs_nothing(&pinned));
        assert!(!heard(4, Some((3, "ab"))).needs_nothing(&pinned), "a newer one is told of");
        assert!(!heard(3, Some((3, "cd"))).needs_nothing(&pinned), "the site believes another meanwhile");
    }
}
