//! The house rules that a machine can check, so that nobody has to repeat them in review.
//!
//! `run` reads the tree once and asks every rule; each rule is one file that takes the tree and
//! returns findings, each with its place, its reason and its remedy. What a rule allows by name
//! stands in `xtask/allow.txt`, with the reason why.

mod allow;
mod finding;
mod run;
mod source;
mod tree;

mod arrows;
mod banned;
mod changelog;
mod clock;
mod conformance;
mod facts;
mod links;
mod one_way;
mod plates;
mod pure;
mod sizes;

pub(crate) use run::run;
