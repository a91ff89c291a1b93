//! Operations: privileged work that operators sign on machines of their own. The hub keeps what was proposed
//! and what was signed, and can make neither signature nor text.
//!
//! In the order of an operation's life: `propose`, `sign` (with the last signature it becomes a task of the same
//! id), or `reject`, or `expire`; `end` writes into the audit log how its task ended, and `read` shows what became of
//! it.

mod end;
mod expire;
mod propose;
mod read;
mod reject;
pub(crate) mod routes;
mod sign;

pub(crate) use end::end;
pub(crate) use expire::expire;
