//! The waits that are open at the hub: usually one. While the agent is full it waits for news only;
//! when a place becomes free it asks anew beside that, and the hub ends the older one.

use std::future::Future;
use std::pin::Pin;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sortie_client::ClientError;
use sortie_client::agent::HubLine;
use sortie_rules::ids::NodeId;
use sortie_rules::limits::HELD_UP_WAITS_MAX;
use sortie_wire::deliveries::WaitQuery;
use sortie_wire::envelope::Envelope;

/// Most waits that are open at once.
const OPEN_MAX: usize = HELD_UP_WAITS_MAX as usize;

/// The waits that are open at the hub.
#[derive(Default)]
pub(super) struct OpenWaits {
    open: FuturesUnordered<Pin<Box<dyn Future<Output = Answered> + Send>>>,
    newest: Option<WaitQuery>,
}

/// A wait that was answered.
pub(super) struct Answered {
    pub(super) query: WaitQuery,
    pub(super) answer: Result<Envelope, ClientError>,
}

impl OpenWaits {
    /// Asks. The connection of an older wait stays in use.
    pub(super) fn ask(&mut self, line: HubLine, node: NodeId, query: WaitQuery) {
        self.newest = Some(query);
        self.open.push(Box::pin(async move { Answered { query, answer: line.wait(node, &query).await } }));
    }

    /// Whether a wait is open that can bring all there is.
    pub(super) fn is_asking(&self) -> bool {
        self.newest.is_some()
    }

    /// Whether the agent waits for news only, and may ask anew if it gets room.
    pub(super) fn only_for_news(&self) -> bool {
        self.newest.is_some_and(|query| query.room == 0) && self.open.len() < OPEN_MAX
    }

    /// Whether the agent may ask anew beside the wait that is open, to tell the hub something.
    pub(super) fn may_ask_beside(&self) -> bool {
        self.newest.is_some() && self.open.len() < OPEN_MAX
    }

    /// The next answer, and whether it is that of the newest wait. Never ends while none is open.
    pub(super) async fn next(&mut self) -> (Answered, bool) {
        match self.open.next().await {
            Some(answered) => {
                let is_newest = self.newest.is_some_and(|newest| newest.seq == answered.query.seq);
                if is_newest {
                    self.newest = None;
                }
                (answered, is_newest)
            }
            None => std::future::pending().await,
        }
    }
}
