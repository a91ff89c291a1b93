//! The readers: `messages` those of messages in JSON, `trust` and `signers` those on whose word somebody is
//! believed (the hub's; operators' and nodes'), `text` those of what people type and files hold, `audit` those of
//! exports of the audit log, `doors` those behind doors of hub and agent, `command` those of an operator's command
//! line. `target` says what a target is, `list` has all of them.

mod audit;
mod command;
mod doors;
mod list;
mod messages;
mod signers;
mod target;
mod text;
mod trust;

pub use list::all;
pub use target::{Target, Verdict};
