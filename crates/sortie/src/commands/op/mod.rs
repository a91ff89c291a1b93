//! `sortie op`: privileged work, from its proposal to its end.
//!
//! `noun` is what can be typed, `propose` and the verbs beside it make one call of the hub each, `shown` is how
//! an operation looks.

mod noun;
mod propose;
mod shown;

pub(crate) use noun::{OpCommand, run};
pub(crate) use shown::pretty;
