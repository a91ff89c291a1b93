//! The audit log: `action` names what can be done, `canonical` and `chain` say how what was done becomes a
//! link, `check` finds the first link that does not hold, and `refusals` how many refusals are written down.

mod action;
mod canonical;
mod chain;
mod check;
mod refusals;

pub use action::Action;
pub use canonical::{Canonical, canonical};
pub use chain::{Hash, Head, Link, NO_HASH, from_hex, hex, link_bytes, write_head, write_link};
pub use check::{Broken, Checker, Fault, Step};
pub use refusals::Refusals;
