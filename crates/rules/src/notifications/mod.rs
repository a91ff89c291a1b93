//! Notifications: who is told of what, when, and what is held back.
//!
//! `rule` says who is told of which alarms and how, `gather` when what waits for one person goes out, and whether as
//! one message, and `hold` why somebody is not told.

mod gather;
mod hold;
mod rule;

pub use gather::{Waiting, send_at};
pub use hold::{Held, Told, held};
pub use rule::{Channel, NotificationRule, Tells, Tier};
