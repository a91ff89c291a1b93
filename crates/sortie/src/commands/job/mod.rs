//! `sortie job`: one piece of work at many nodes. One file per verb; `follow` waits for the end on behalf of
//! `run --watch` and `watch`, `shown` says how a job looks.

mod follow;
mod list;
mod noun;
mod run;
mod show;
mod shown;
mod steer;

pub(crate) use noun::{JobCommand, run};
