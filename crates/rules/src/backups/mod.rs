//! Backups at sites: until when one is expected, and what a report says of it (decision 0034).
//!
//! `deadline` says when the day of a target begins and by when its backup is due there, changes of the clock included,
//! `lateness` how a target fares on such a day, `heard` whether a hub has heard nodes for long enough to say so,
//! `facts` what a report of a backup says, and `news` what of it is told as events.

mod deadline;
mod facts;
mod heard;
mod lateness;
mod news;

pub use deadline::{BadDeadline, Deadline, Expected, Weekdays, WrittenDeadline};
pub use facts::{BACKUP, BackupFacts, BadFacts, read_facts};
pub use heard::{BACKUPS_BREAK_MAX, Heard};
pub use lateness::{AHEAD_FROM, Lateness, SAME_DAY_WITHIN, lateness};
pub use news::{BackupNews, Told, check_event, news};
