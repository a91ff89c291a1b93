//! Alarms: what is wrong, for how long, and whether it is over.
//!
//! `severity` says how much it matters, `pattern` which events and facts a rule is about, `rule` what raises and ends
//! an alarm, `known` the rules that every hub has from the start, `life` what becomes of one alarm, and `window` when
//! nobody wants to be told.

mod known;
mod life;
mod pattern;
mod rule;
mod severity;
mod window;

pub use known::known_rules;
pub use life::{Alarm, AlarmState, News, Seen, next};
pub use pattern::{EventPattern, FactTest, Happened};
pub use rule::{AlarmRule, BadRule, Cause, Verdict};
pub use severity::Severity;
pub use window::{AskedWindow, BadWindow, Maintenance, Window, covered_until, maintained_until};
