//! Brings results to the hub, until it has acknowledged every one of them.
//!
//! `outbox` holds what has just ended; what does not fit there is read from the ledger again.
//! `send` is the loop: one request at a time, as many results in it as there are.

mod outbox;
mod send;

pub(crate) use outbox::Outbox;
pub(crate) use send::Reporter;
