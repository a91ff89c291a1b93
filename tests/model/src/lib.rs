//! A model check of the line between a hub, or two, and one agent: delivery, replay, retry and lease, with crashes on
//! either side and a net that loses, doubles and reorders.
//!
//! The model takes its decisions with the very functions of `sortie-rules` that hub and agent take theirs
//! with; what stands here is the edge around them, cut down to what is durable, what a crash forgets, and
//! what is on its way. There may be two hubs on one database, without the bells between
//! them, which may all get lost. `plan` says how much of everything there is, and which one rule is broken on purpose;
//! `world` is the state; `hub` and `agent` are what either side does with a message; `step` lists what can
//! happen; `heal` asks whether everything would end if nothing went wrong any more; `claims` are what must
//! hold. Time stands still: a lease may end at any moment, and a wait before a retry is always over.
//!
//! Messages stay on the net, so each of them can be lost (by nobody ever hearing it), come late, come twice, or
//! be played again by somebody who has recorded it. Only waits come once at most: they are requests of an agent
//! that proves who it is.

mod agent;
mod claims;
mod heal;
mod hub;
mod plan;
mod step;
mod world;

pub use claims::{CLAIMS, Claim};
pub use plan::{Broken, Plan};
pub use step::{Line, Step};
