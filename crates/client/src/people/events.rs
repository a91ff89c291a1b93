//! Events: what happened.

use sortie_wire::events::{Event, EventQuery};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// A page of events, oldest first.
    pub async fn events(&self, query: &EventQuery) -> Result<Page<Event>, ClientError> {
        match query.wait_s {
            Some(seconds) => self.held_get(&["events"], query, seconds).await,
            None => self.get(&["events"], query).await,
        }
    }
}
