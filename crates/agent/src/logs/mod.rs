//! What handlers say while they run: masked, spooled on disk, and sent to the hub within a moment.
//!
//! `task_log` is what a handler holds; `spool` the file that outlives a break of the line and a restart;
//! `desk` knows every log that is not sent yet; `shipper` is the loop that sends.

mod desk;
mod shipper;
mod spool;
mod task_log;

pub(crate) use desk::Desk;
pub(crate) use shipper::Shipper;
pub use task_log::TaskLog;
