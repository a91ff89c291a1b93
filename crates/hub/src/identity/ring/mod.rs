//! The hub's keys that agents believe: those that sign deliveries and the authorities that vouch, with the
//! chain of signed key sets that leads from the first to the newest.
//!
//! `file` is what stands in `keys/ring.json`: it is replaced whole, so that a crash leaves the ring as it
//! was or as it shall be. Private keys lie beside it in the safe under names of their own, put in before it names
//! them and taken out after it does not. `held` is the same in memory, ready for use; `make` makes keys; `keyring`
//! is where both meet and change.

mod file;
mod held;
mod keyring;
mod make;

pub(crate) use file::{StepKind, TakenStep};
pub(crate) use held::Held;
pub(crate) use keyring::{Change, KeyRing};
