//! Operations: privileged work that operators sign on machines of their own.
//!
//! `proposal` is an operation's life at the hub until enough have signed it; then it is a task like any
//! other, but for its bytes, which the hub cannot make. `judge` is the site's word on one that was signed.

mod judge;
mod proposal;

pub use judge::{Claims, Demand, Refusal, judge};
pub use proposal::{NotChanged, Proposal, Stage, expire, reject, sign};
