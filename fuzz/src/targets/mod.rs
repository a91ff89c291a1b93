//! The readers: `messages` those of messages in JSON, `trust` and `signers` those on whose word somebody is
//! believed (the hub's; operators' and nodes'), `text` those of what people type and files hold, `doors` those
//! behind doors of hub and agent. `target` says what a target is, `list` has all of them.

mod doors;
mod list;
mod messages;
mod signers;
mod target;
mod text;
mod trust;

pub use list::all;
pub use target::{Target, Verdict};
