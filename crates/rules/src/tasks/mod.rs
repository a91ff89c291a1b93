//! A task's life: its states, and the one place where they change.
//!
//! `state` says what a task is, `transitions` says what may happen to it, `outcome` is what an
//! agent reports. Every change is a pure function from a task, an event and the time to the next
//! task or to a refusal that says why; `tests/` beside the crate tries every one.

mod class;
mod outcome;
mod state;
mod transitions;

pub use class::Class;
pub use outcome::{Code, Outcome};
pub use state::{EndedBy, State, Status, Task};
pub use transitions::{
    Finished, Refusal, Report, cancel, claim, expire, finish, is_claimable, lapse, lease_has_ended, renew, requeue,
};
