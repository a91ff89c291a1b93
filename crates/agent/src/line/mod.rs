//! The one outbound line: the agent asks, the hub hands out.
//!
//! `wait` is the loop that always has one request open at the hub; `open_waits` are those requests;
//! `take` does what a delivery says, once `verify` has found that it is the hub's, for this node, in
//! time. `hub_time` is the hub's clock as far as its signatures tell it.

mod hub_time;
mod open_waits;
mod take;
mod verify;
mod wait;

pub(crate) use hub_time::{HubTime, SKEW_WORTH_SAYING};
pub(crate) use take::Taker;
pub(crate) use verify::verify;
pub(crate) use wait::WaitLoop;
