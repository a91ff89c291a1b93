//! The logs of tasks: taken from agents while handlers run, read by people, streamed to those who
//! watch, put away as blobs some time after the task's end.

mod archive;
mod pack;
mod read;
mod receive;
pub(crate) mod routes;
mod stream;
mod unpacked;

pub(crate) use archive::archive;
pub(crate) use read::progress;
pub(crate) use unpacked::Unpacked;
