//! A hub for tests: it signs like the real one and otherwise does as it is told.
//!
//! `authority` makes its certificates, `desk` is what it knows and what it was asked, `server` speaks
//! the agent's side of the API.

mod authority;
mod desk;
mod server;

pub(crate) use desk::{Asked, Desk, signer, task};
pub(crate) use server::TestHub;

use sortie_rules::time::Millis;

/// In the middle of 2026, by the test hub's clock at its start.
pub(crate) const NOW: Millis = Millis(1_780_000_000_000);
/// The same as `faketime` takes it, in UTC.
pub(crate) const NOW_IN_WORDS: &str = "2026-05-28 20:26:40";
