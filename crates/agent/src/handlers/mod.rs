//! What the agent can do by itself, and how anything else is added.
//!
//! `handler` is the shape of a handler and of what goes in and out; the other files hold one builtin
//! task type each, with the same names and schemas as `packs/base`. Each judges by the site's policy
//! what its payload asks for.

mod builtin;
mod file_append;
mod file_checksum;
mod handler;
mod http_check;
mod sleep;
mod sys_info;

pub use builtin::BUILTIN_TYPES;
pub(crate) use builtin::{Surroundings, builtin};
pub(crate) use handler::{Closure, Handlers};
pub use handler::{Failure, Handler, HandlerFuture, Output, Work};
