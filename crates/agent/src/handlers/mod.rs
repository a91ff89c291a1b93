//! What the agent can do by itself, and how anything else is added.
//!
//! `handler` is the shape of a handler and of what goes in and out. `command` runs the programs that a
//! policy names and `service` asks local services, over `outgoing`; `large` keeps what they give and
//! nobody may send. The other files hold one builtin task type each, with the same names and schemas as
//! `packs/base`; `host.reboot`, whose result comes after the machine is back, is done by the runner. Each
//! judges by the site's policy what its payload asks for.

mod builtin;
pub(crate) mod command;
mod file_append;
mod file_checksum;
mod handler;
mod http_check;
pub(crate) mod large;
mod outgoing;
pub(crate) mod service;
pub(crate) mod service_restart;
mod sleep;
mod sys_info;

pub use builtin::BUILTIN_TYPES;
pub(crate) use builtin::{Surroundings, builtin};
pub use command::unusable_programs;
pub(crate) use handler::{Closure, Handlers};
pub use handler::{Failure, Handler, HandlerFuture, Output, Work};
pub(crate) use outgoing::Outgoing;
pub(crate) use service_restart::refuse;
pub(crate) use sys_info::info;
