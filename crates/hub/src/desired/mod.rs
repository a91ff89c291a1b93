//! Desired state: what people publish, how it goes out to nodes, and what they say of it.
//!
//! `layer` finds the layer that a request names; `draft` writes what is not yet published, `conflict` tells the
//! second of two who write what is there, `diff` compares, `check` says whether a state can be used, `publish`
//! decides which nodes are meant; `advance` is the loop that gives it to them, `stop` ends it, `forget` deletes what
//! is old and nobody has, `pins` is what a node gets that comes in or goes over to another site. `show` and `node`
//! are what people see. `deliver` is what an agent gets, `observe` what it says: facts, which nothing reads that
//! writes what is meant, but for the count of a staged publication. `generations` keeps in memory what each delivery
//! names, `tell` ends waits when that has risen, `merged` is what layers come to, `memory` holds all that and what
//! revisions say.

mod advance;
pub(crate) mod agent_routes;
mod check;
mod conflict;
mod deliver;
mod diff;
mod draft;
mod forget;
mod generations;
mod layer;
mod memory;
mod merged;
mod node;
mod observe;
mod pins;
mod publish;
pub(crate) mod routes;
mod show;
mod stop;
mod tell;

pub(crate) use advance::advance_all;
pub(crate) use forget::forget;
pub(crate) use memory::Desired;
pub(crate) use node::policy_unusable;
pub(crate) use pins::{change_site, enter};
pub(crate) use tell::{follow, tell_having};
