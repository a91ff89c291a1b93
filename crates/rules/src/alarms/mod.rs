//! Alarms: what is wrong, for how long, and whether it is over.
//!
//! `severity` says how much it matters, `pattern` which events and facts a rule is about, `rule` what raises and ends
//! an alarm, `known` the rules that every hub has from the start, `life` what becomes of one alarm, `window` when
//! nobody wants to be told, and `deadline` until when a backup is expected.

mod deadline;
mod known;
mod life;
mod pattern;
mod rule;
mod severity;
mod window;

pub use deadline::{Expected, Lateness, lateness};
pub use known::known_rules;
pub use life::{Alarm, AlarmState, News, Seen, next};
pub use pattern::{EventPattern, FactTest, Happened};
pub use rule::{AlarmRule, BadRule, Cause, Verdict};
pub use severity::Severity;
pub use window::{Window, covered_until};
