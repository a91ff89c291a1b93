//! The logs of tasks: taken from agents while handlers run, read by people, streamed to those who
//! watch.

mod read;
mod receive;
pub(crate) mod routes;
mod stream;

pub(crate) use read::progress;
