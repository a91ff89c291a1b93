//! What all streams of server-sent events share: how many there may be, where they go on, and how they
//! show that they are still there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::response::sse::KeepAlive;
use sortie_rules::limits::{STREAM_ALIVE_EVERY, STREAMS_PER_PRINCIPAL_MAX};
use sortie_wire::problem::ProblemCode;

use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// Who holds how many streams.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<HashMap<String, usize>>>);

/// One stream of somebody, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Seats,
    name: String,
}

impl Seats {
    /// A seat for one more stream.
    pub(crate) fn take(&self, who: &Principal) -> Result<Seat, Fault> {
        let name = who.key.to_string();
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = seats.entry(name.clone()).or_insert(0);
        if *held >= STREAMS_PER_PRINCIPAL_MAX {
            let detail = format!("You hold {STREAMS_PER_PRINCIPAL_MAX} streams, which are the most; close one first.");
            return Err(refuse(ProblemCode::RateLimited, detail));
        }
        *held += 1;
        Ok(Seat { seats: self.clone(), name })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = seats.get_mut(&self.name) {
            *held -= 1;
            if *held == 0 {
                seats.remove(&self.name);
            }
        }
    }
}

/// Where a stream that broke off goes on.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Fault> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    number.map(Some).ok_or_else(|| refuse(ProblemCode::MalformedParameter, "Last-Event-ID must be a number."))
}

/// Comments on a stream on which nothing happens, so that nobody on the way takes it for dead.
pub(crate) fn still_here() -> KeepAlive {
    KeepAlive::new().interval(STREAM_ALIVE_EVERY.to_std())
}
