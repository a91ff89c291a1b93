//! Desired state at the agent: takes what the hub has signed for this node, makes the machine so as far as the site's
//! policy lets it, and tells how it stands.
//!
//! The state comes: `heard` is what deliveries tell of it, `follow` fetches, `verify` judges, `kept` is what was
//! accepted, on disk, `sealing` the key that opens its secrets, `desk` what the loops share. Then `reconcile` goes
//! through all resources and `settle` through one, which operators have `signed` if they must; `kinds` do the work, on
//! `place`s that `own` guards, with `names` of users, never hanging for ever (`busy`); `trouble` is what stands in the
//! way. `memory` keeps what was in order, and `tell` tells the hub.

mod busy;
mod desk;
mod follow;
mod heard;
mod kept;
mod kinds;
mod memory;
mod names;
mod own;
mod place;
mod reconcile;
mod sealing;
mod settle;
mod signed;
mod tell;
mod trouble;
mod verify;

pub(crate) use desk::Desk;
pub(crate) use follow::Following;
pub(crate) use heard::Heard;
pub(crate) use kept::Kept;
pub(crate) use kinds::Supervisor;
pub(crate) use memory::Memory;
pub(crate) use own::Own;
pub(crate) use reconcile::Reconciler;
pub(crate) use sealing::opening_key;
pub(crate) use tell::Teller;
pub(crate) use verify::read_for_nobody;
