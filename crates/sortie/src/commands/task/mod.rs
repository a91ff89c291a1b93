//! `sortie task`: units of work, submitted, watched and steered. One file per verb; `await_end`
//! waits for the end of a task on behalf of `submit --wait` and `watch`, `shown` says how a task looks.

mod await_end;
mod cancel;
mod list;
mod log;
mod noun;
mod requeue;
mod retry_step;
mod show;
mod shown;
mod submit;
mod types;
mod watch;

pub(crate) use noun::{TaskCommand, run};
