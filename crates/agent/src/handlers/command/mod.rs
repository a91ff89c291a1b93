//! Programs as handlers: the payload on standard input, the result on standard output, the log on
//! standard error.
//!
//! `run` carries one run from the check of the program to the verdict, `check` looks at the program,
//! `group` watches and ends all its processes, `capture` reads what it writes without keeping more in
//! memory than a result may have.

mod capture;
mod check;
mod group;
mod leader;
mod run;

pub use check::unusable_programs;
pub(crate) use run::{Places, run};
