//! How the hub's keys change without losing anybody.
//!
//! `ring` is the hub's side: which keys and authorities it has, in which state, and what may become of them.
//! `follow` is the other side: which next key set somebody believes who has one already, an agent or its
//! helper. A key set is signed by a key of the one before it, so that whoever has any version of the chain
//! can walk to its end, however long it has slept. `locked_out` is what a hub still knows that cannot read its own keys
//! any more.

mod follow;
mod locked_out;
mod ring;

pub use follow::{Link, LinkRefusal, Step, judge_link};
pub use locked_out::knows_the_keys;
pub use ring::{Lag, Member, NodeKeys, Ring, RingRefusal, State, What};
