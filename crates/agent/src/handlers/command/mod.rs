//! Programs as handlers: the payload on standard input, the result on standard output, the log on
//! standard error.
//!
//! `run` carries one run from the check of the program to the verdict, `check` looks at the program,
//! `group` watches and ends all its processes, `capture` reads what it writes without keeping more in
//! memory than a result may have. `step` runs one program of a builtin, of which only the end counts, and
//! `ask` runs one that belongs to no task.

mod ask;
mod capture;
mod check;
mod group;
mod leader;
mod run;
mod step;

pub(crate) use ask::{Answered, Question, ask};
pub use check::unusable_programs;
pub(crate) use run::{Places, run};
pub(crate) use step::{can_begin, is_for_helper, step};
