//! Notifications: who is told of what, when, and what is held back.
//!
//! `channel` has the few words that all of it shares, `nodes` says whose nodes somebody asks after, `recipient` who may
//! be told, `rule` who is told of which alarms and how, and `audience` puts the two together. `hold` says why somebody
//! is not told, `gather` when what waits for one of them goes out, and `dispatch` what becomes of that on its way.

mod audience;
mod channel;
mod dispatch;
mod gather;
mod hold;
mod known;
mod nodes;
mod recipient;
mod rule;

pub use audience::{Audience, Occasion, Way};
pub use channel::{Channel, Locale, Tier};
pub use dispatch::{Dispatch, DispatchState, Failure, begin, end, planned};
pub use gather::{Before, Waiting, send_at};
pub use hold::{Beginning, Held, Told, held_at_beginning, held_at_end};
pub use known::known_rules;
pub use nodes::NodesMeant;
pub use recipient::Recipient;
pub use rule::{NotificationRule, Tells, Template, names_rule};
