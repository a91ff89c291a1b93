//! Post-steps: what the hub does after a task has ended, as the type's pack says. They are planned in
//! the transaction of the end, tried until they are done or given up, and never change the result.
//!
//! `spec` is what a pack says; `plan` writes steps down with a task's end; `perform` is the loop that
//! does them: `mail`, `webhook` and `status`, with what `matter` reads of the task. `again` begins anew
//! with one that was given up, `read` shows them.

mod again;
mod mail;
mod matter;
mod perform;
mod plan;
mod read;
pub(crate) mod routes;
mod spec;
mod status;
mod webhook;

pub(crate) use perform::{Performers, perform};
pub(crate) use plan::plan;
pub(crate) use read::{fields_of, of_task};
pub(crate) use spec::{Act, Field, HolderKind, MailSpec, PostStep};
pub(crate) use webhook::WebhookError;
pub(crate) use webhook::Webhooks;
