//! The readers: `messages` those of messages in JSON, `trust` those on whose word somebody is believed, `text`
//! those of what people type and files hold, `doors` those behind doors of hub and agent. `target` says what a
//! target is, `list` has all of them.

mod doors;
mod list;
mod messages;
mod target;
mod text;
mod trust;

pub use list::all;
pub use target::{Target, Verdict};
