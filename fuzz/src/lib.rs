//! Fuzzing: every reader of bytes that strangers send, or that people type, fed with what nobody would.
//!
//! `targets` is the list of readers, each with examples and with what must hold beside that it does not panic:
//! what is read prints and is read again as the same, and a changed message is never believed. `mutate` changes
//! inputs, `engine` drives: it keeps what a reader answers to in a way not seen before, and changes that
//! further. `coverage` tells it more where the program was built to count its branches. `corpus` reads the
//! examples and the inputs that were once found to break something.
//!
//! [Decision 0016](../../docs/decisions/0016-own-fuzzer.md) says why this is our own.

mod corpus;
mod coverage;
mod engine;
mod mutate;
mod targets;

pub use engine::{Budget, Finding, Looked, look};
pub use targets::{Target, Verdict, all};
