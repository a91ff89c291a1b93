//! By when a backup is expected, day by day, in the time zone of who waits for it.

use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::limits::{BACKUP_GRACE_DEFAULT, BACKUP_GRACE_MAX};
use crate::reports::SUBJECT_BYTES_MAX;
use crate::time::{Millis, Span};

/// How far it is looked for the next day on which something is expected: further than a week, for zones that leave out
/// a day.
const DAYS_LOOKED_AT: i64 = 10;

/// By when a backup of a target is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenDeadline", into = "WrittenDeadline")]
pub struct Deadline {
    /// The target, as reports name it.
    pub target: String,
    /// By when, by the clocks there.
    pub by: Time,
    /// The time zone's name, for example `Europe/Budapest`. Who acts on it finds the zone.
    pub time_zone: String,
    /// On which days.
    pub days: Weekdays,
    /// How long after the deadline it is judged: reports take their time.
    pub grace: Span,
}

/// The same as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenDeadline {
    /// The target, as reports name it.
    pub target: String,
    /// By when: `06:00`.
    pub by: String,
    /// The time zone: `Europe/Budapest`.
    pub time_zone: String,
    /// On which days: `mon`, `tue`, …; every day if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// How long after the deadline it is judged, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_s: Option<i64>,
}

/// Some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekdays([bool; 7]);

/// The words for the days, from Monday on.
const WORDS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A deadline that cannot be: a sentence without its full stop, and the field that it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct BadDeadline {
    /// The field.
    pub field: &'static str,
    why: String,
}

/// One day of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The day, as it is called there.
    pub day: Date,
    /// When it began there.
    pub day_began: Millis,
    /// By when the backup must have been done.
    pub due_at: Millis,
}

impl Weekdays {
    /// Every day.
    pub const ALL: Weekdays = Weekdays([true; 7]);

    fn has(self, day: Weekday) -> bool {
        self.0[usize::from(day.to_monday_zero_offset().unsigned_abs())]
    }

    fn words(self) -> Vec<String> {
        let on = WORDS.iter().zip(self.0).filter(|(_, on)| *on).map(|(word, _)| (*word).to_owned());
        if self == Weekdays::ALL { Vec::new() } else { on.collect() }
    }
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Weekdays::ALL { f.write_str("every day") } else { f.write_str(&self.words().join(",")) }
    }
}

impl Deadline {
    /// The first day whose deadline is after this moment. Nothing where the calendar ends.
    pub fn next(&self, zone: &TimeZone, after: Millis) -> Option<Expected> {
        let first = date_at(zone, after)?.checked_sub(1.day()).ok()?;
        let days = (0..DAYS_LOOKED_AT).map(|later| first.checked_add(later.days()).ok());
        days.map_while(|day| day).filter_map(|day| self.on(zone, day)).find(|expected| expected.due_at > after)
    }

    /// The last day whose deadline is not after this moment. Nothing where the calendar begins.
    pub fn newest(&self, zone: &TimeZone, at: Millis) -> Option<Expected> {
        let last = date_at(zone, at)?.checked_add(1.day()).ok()?;
        let days = (0..DAYS_LOOKED_AT).map(|earlier| last.checked_sub(earlier.days()).ok());
        days.map_while(|day| day).filter_map(|day| self.on(zone, day)).find(|expected| expected.due_at <= at)
    }

    /// The day that is to be judged at this moment, and when the next one is: the newest whose time has come, whatever
    /// was begun before that.
    pub fn to_judge(&self, zone: &TimeZone, now: Millis) -> Option<(Expected, Millis)> {
        let day = self.newest(zone, now - self.grace)?;
        Some((day, self.next(zone, day.due_at)?.due_at + self.grace))
    }

    /// When it is to be judged at the latest, seen from this moment. What was said to be later was said by a clock that
    /// was ahead.
    pub fn judge_by(&self, zone: &TimeZone, now: Millis) -> Option<Millis> {
        Some(self.next(zone, now)?.due_at + self.grace)
    }

    /// What is expected on a day, if anything is. A time that clocks leave out there is when they have gone on, and one
    /// that they show twice is when they show it first. A day that a zone left out altogether is none.
    fn on(&self, zone: &TimeZone, day: Date) -> Option<Expected> {
        let instant = |time: Time| zone.to_ambiguous_timestamp(day.to_datetime(time)).compatible().ok();
        let (began, due) = (instant(Time::midnight())?, instant(self.by)?);
        // The day's beginning tells, and not its deadline: an hour that is left out just before midnight is the next
        // day's when clocks have gone on.
        let is_there = self.days.has(day.weekday()) && zone.to_datetime(began).date() == day;
        is_there.then(|| Expected { day, day_began: millis(began), due_at: millis(due) })
    }
}

fn millis(at: Timestamp) -> Millis {
    Millis(at.as_millisecond())
}

fn date_at(zone: &TimeZone, at: Millis) -> Option<Date> {
    Some(zone.to_datetime(Timestamp::from_millisecond(at.0).ok()?).date())
}

impl TryFrom<WrittenDeadline> for Deadline {
    type Error = BadDeadline;

    fn try_from(written: WrittenDeadline) -> Result<Deadline, BadDeadline> {
        let WrittenDeadline { target, by, time_zone, days, grace_s } = written;
        let bad = |field, why: String| BadDeadline { field, why };
        if target.is_empty() || target.len() > SUBJECT_BYTES_MAX || target.chars().any(char::is_control) {
            return Err(bad("target", format!("a target has from 1 to {SUBJECT_BYTES_MAX} bytes on one line")));
        }
        let is_time = by.len() == 5 && by.as_bytes()[2] == b':';
        let by = by.parse::<Time>().ok().filter(|_| is_time);
        let by = by.ok_or_else(|| bad("by", "the time of day is written as `06:00`".to_owned()))?;
        let mut on = [days.is_empty(); 7];
        for word in &days {
            let found = WORDS.iter().position(|known| known == word);
            let found = found.ok_or_else(|| bad("days", format!("days are {}", WORDS.join(", "))))?;
            on[found] = true;
        }
        let most = BACKUP_GRACE_MAX.0 / 1000;
        let grace_s = grace_s.unwrap_or(BACKUP_GRACE_DEFAULT.0 / 1000);
        if !(0..=most).contains(&grace_s) {
            return Err(bad("grace_s", format!("it is from 0 to {most} seconds")));
        }
        Ok(Deadline { target, by, time_zone, days: Weekdays(on), grace: Span::seconds(grace_s) })
    }
}

impl From<Deadline> for WrittenDeadline {
    fn from(deadline: Deadline) -> WrittenDeadline {
        let Deadline { target, by, time_zone, days, grace } = deadline;
        let by = format!("{:02}:{:02}", by.hour(), by.minute());
        WrittenDeadline { target, by, time_zone, days: days.words(), grace_s: Some(grace.0 / 1000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn deadline(by: &str, days: &[&str]) -> Deadline {
        let days = days.iter().map(|&day| day.to_owned()).collect();
        let time_zone = "Europe/Budapest".to_owned();
        WrittenDeadline { target: "home".into(), by: by.into(), time_zone, days, grace_s: None }.try_into().unwrap()
    }

    /// The clocks of Budapest, as far as they matter here, without the system's files.
    fn budapest() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn at(text: &str) -> Millis {
        millis(text.parse::<Timestamp>().unwrap())
    }

    fn expected(day: Date, began: &str, due: &str) -> Option<Expected> {
        Some(Expected { day, day_began: at(began), due_at: at(due) })
    }

    #[test]
    fn the_day_and_its_deadline_are_those_of_the_clocks_there() {
        let (six, zone) = (deadline("06:00", &[]), budapest());
        let winter = expected(date(2026, 1, 2), "2026-01-01T23:00:00Z", "2026-01-02T05:00:00Z");
        assert_eq!(six.next(&zone, at("2026-01-01T12:00:00Z")), winter);
        assert_eq!(six.next(&zone, at("2026-01-02T04:59:59Z")), winter);
        assert_eq!(six.newest(&zone, at("2026-01-02T05:00:00Z")), winter);
        assert_eq!(six.newest(&zone, at("2026-01-03T04:59:59Z")), winter);
        let summer = expected(date(2026, 7, 1), "2026-06-30T22:00:00Z", "2026-07-01T04:00:00Z");
        assert_eq!(six.next(&zone, at("2026-06-30T12:00:00Z")), summer);
    }

    #[test]
    fn a_day_may_have_an_hour_less_or_more() {
        let zone = budapest();
        let short = expected(date(2026, 3, 29), "2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z");
        assert_eq!(deadline("06:00", &[]).next(&zone, at("2026-03-28T12:00:00Z")), short);
        let long = expected(date(2026, 10, 25), "2026-10-24T22:00:00Z", "2026-10-25T05:00:00Z");
        assert_eq!(deadline("06:00", &[]).next(&zone, at("2026-10-24T12:00:00Z")), long);
        // Half past two is not there on the one, and comes twice on the other.
        let left_out = expected(date(2026, 3, 29), "2026-03-28T23:00:00Z", "2026-03-29T01:30:00Z");
        assert_eq!(deadline("02:30", &[]).next(&zone, at("2026-03-28T12:00:00Z")), left_out);
        let twice = expected(date(2026, 10, 25), "2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z");
        assert_eq!(deadline("02:30", &[]).next(&zone, at("2026-10-24T12:00:00Z")), twice);
        let after = deadline("02:30", &[]).next(&zone, at("2026-10-25T00:30:00Z")).map(|next| next.day);
        assert_eq!(after, Some(date(2026, 10, 26)), "the second time is no deadline");
    }

    #[test]
    fn only_some_days_may_have_one() {
        let weekdays = deadline("06:00", &["fri", "mon"]);
        let friday = weekdays.next(&budapest(), at("2026-01-01T12:00:00Z")).unwrap();
        assert_eq!(friday.day, date(2026, 1, 2));
        assert_eq!(weekdays.next(&budapest(), friday.due_at).unwrap().day, date(2026, 1, 5));
        assert_eq!(weekdays.days.to_string(), "mon,fri");
        assert_eq!(deadline("06:00", &WORDS).days.to_string(), "every day");
    }

    #[test]
    fn a_deadline_is_written_as_it_was_read() {
        let text = serde_json::json!({
            "target": "home", "by": "06:00", "time_zone": "Europe/Budapest", "days": ["mon"], "grace_s": 60,
        });
        let read: Deadline = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), text);
        for (field, value) in [
            ("target", serde_json::json!("")),
            ("target", serde_json::json!("a\nb")),
            ("by", serde_json::json!("6")),
            ("by", serde_json::json!("24:00")),
            ("by", serde_json::json!("06:00:30")),
            ("by", serde_json::json!("06é0")),
            ("days", serde_json::json!(["monday"])),
            ("grace_s", serde_json::json!(-1)),
            ("grace_s", serde_json::json!(i64::MAX)),
        ] {
            let mut bad = text.clone();
            bad[field] = value;
            let written: WrittenDeadline = serde_json::from_value(bad.clone()).unwrap();
            assert_eq!(Deadline::try_from(written).unwrap_err().field, field, "{bad}");
        }
    }

    #[test]
    fn the_newest_day_is_judged_when_reports_have_had_a_while() {
        let (deadline, zone) = (deadline("06:00", &[]), budapest());
        let day = |text: &str| deadline.newest(&zone, at(text)).unwrap();
        let (first, second) = (day("2026-06-01T04:00:00Z"), day("2026-06-02T04:00:00Z"));
        let judged = |text: &str| deadline.to_judge(&zone, at(text)).unwrap();
        let next_at = second.due_at + deadline.grace;
        assert_eq!(judged("2026-06-01T04:30:00Z"), (first, next_at));
        assert_eq!(judged("2026-06-02T04:10:00Z"), (first, next_at), "reports have a while");
        assert_eq!(judged("2026-06-02T04:20:00Z").0, second);
        assert_eq!(deadline.judge_by(&zone, at("2026-06-01T04:00:00Z")), Some(next_at));
        assert_eq!(deadline.judge_by(&zone, at("2026-06-01T03:59:00Z")), Some(first.due_at + deadline.grace));
    }

    #[test]
    fn a_deadline_in_an_hour_that_is_left_out_before_midnight_is_when_the_day_is_over() {
        // Nuuk: at 23:00 on the Saturday before the last Sunday of March it becomes midnight.
        let zone = TimeZone::posix("<-02>2<-01>,M3.5.0/-1,M10.5.0/0").unwrap();
        let day = deadline("23:30", &[]).newest(&zone, at("2026-03-29T12:00:00Z")).unwrap();
        assert_eq!((day.day, day.due_at), (date(2026, 3, 28), at("2026-03-29T01:30:00Z")));
    }

    /// Zones with clocks that change in the night, at midnight, by half an hour, in the south, backwards, and never.
    const ZONES: [&str; 9] = [
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "GMT0BST,M3.5.0/1,M10.5.0",
        "EST5EDT,M3.2.0,M11.1.0",
        "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
        "<-03>3<-02>,M3.5.0/-1,M10.5.0/0",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "<+0545>-5:45",
        "<+14>-14",
    ];

    proptest! {
        /// Whatever the zone and the time of day: each day has one deadline, they rise, and none is before its day.
        #[test]
        fn each_day_has_one_deadline(zone in 0..ZONES.len(), hour in 0i8..24, minute in 0i8..60, began in 0i64..3000) {
            let zone = TimeZone::posix(ZONES[zone]).unwrap();
            let deadline = deadline(&format!("{hour:02}:{minute:02}"), &[]);
            let mut last = deadline.next(&zone, at("2020-01-01T00:00:00Z") + Span::days(began)).unwrap();
            for _ in 0..800 {
                prop_assert_eq!(deadline.newest(&zone, last.due_at), Some(last));
                prop_assert!(last.day_began <= last.due_at, "{:?}", last);
                let next = deadline.next(&zone, last.due_at).unwrap();
                prop_assert_eq!(next.day, last.day.tomorrow().unwrap());
                prop_assert!(next.due_at > last.due_at && next.day_began > last.day_began);
                let hours = next.day_began.since(last.day_began).0 as f64 / 3_600_000.0;
                prop_assert!((22.9..=25.1).contains(&hours), "{}", hours);
                prop_assert_eq!(deadline.newest(&zone, Millis(next.due_at.0 - 1)), Some(last));
                last = next;
            }
        }
    }
}
