//! Where a program is killed: at its Nth system call of a kind, as `strace` counts them.

use stories::Calls;

/// Most cuts at calls of one kind; a life has fewer steps.
pub(crate) const CUTS_MAX: u32 = 200;

/// A kind of step at which a program can be killed, before the call does anything.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    /// The system calls.
    pub(crate) calls: Calls,
    /// From one cut to the next, so many calls are passed over.
    pub(crate) stride: u32,
}

/// Before something written reaches the disk.
pub(crate) const AT_EACH_SYNC: Steps = Steps { calls: Calls::of("fsync,fdatasync"), stride: 1 };
/// Before something is written to a database: a transaction is torn in the middle.
pub(crate) const IN_MID_WRITE: Steps = Steps { calls: Calls::of("pwrite64"), stride: 7 };
/// Before something is sent: what it says is on disk already, and the other side never hears it.
pub(crate) const BEFORE_IT_SPEAKS: Steps = Steps { calls: Calls::of("writev"), stride: 1 };
