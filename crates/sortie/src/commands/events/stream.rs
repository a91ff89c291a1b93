//! The stream that takes events: what it shall be.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use sortie_rules::time::Span;

use super::wish::StreamWish;

/// How long a stream keeps events, unless it is said otherwise.
const MAX_AGE: Span = Span::days(30);
/// How long a stream remembers the ids of events, unless it is said otherwise.
const DUPLICATES_WITHIN: Span = Span::minutes(10);

/// What the stream shall be, given what it is. What others have set stays, also further subjects.
pub(super) fn wanted(wish: &StreamWish, existing: Option<&Config>) -> Config {
    let mut config = existing.cloned().unwrap_or_else(|| Config {
        name: wish.name.clone(),
        description: Some("Events of Sortie hubs".to_owned()),
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        storage: StorageType::File,
        num_replicas: 1,
        max_age: MAX_AGE.to_std(),
        max_bytes: -1,
        duplicate_window: DUPLICATES_WITHIN.to_std(),
        ..Config::default()
    });
    let subjects = format!("{}.>", wish.prefix);
    if !config.subjects.contains(&subjects) {
        config.subjects.push(subjects);
    }
    set(&mut config.max_age, wish.max_age.map(Span::to_std));
    set(&mut config.max_bytes, wish.max_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)));
    set(&mut config.duplicate_window, wish.duplicates_within.map(Span::to_std));
    set(&mut config.num_replicas, wish.replicas.map(usize::from));
    if config.max_age > Duration::ZERO {
        // A stream remembers no ids for longer than it keeps events.
        config.duplicate_window = config.duplicate_window.min(config.max_age);
    }
    config
}

/// What of it is ours to change, in words.
pub(super) fn fields(config: &Config) -> Vec<(&'static str, String)> {
    let unlimited = |number: i64| if number <= 0 { "unlimited".to_owned() } else { number.to_string() };
    vec![
        ("subjects", config.subjects.join(", ")),
        ("max_age", lasting(config.max_age)),
        ("max_bytes", unlimited(config.max_bytes)),
        ("duplicates_within", lasting(config.duplicate_window)),
        ("replicas", config.num_replicas.to_string()),
    ]
}

/// A length of time in words.
pub(super) fn lasting(time: Duration) -> String {
    if time.is_zero() {
        return "unlimited".to_owned();
    }
    Span(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)).to_string()
}

pub(super) fn set<T>(field: &mut T, wish: Option<T>) {
    if let Some(wish) = wish {
        *field = wish;
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::{Change, Done};
    use super::*;

    fn wish() -> StreamWish {
        let (max_age, max_bytes, duplicates_within, replicas) = (None, None, None, None);
        let (name, prefix) = ("SORTIE".to_owned(), "s.e".to_owned());
        StreamWish { name, prefix, max_age, max_bytes, duplicates_within, replicas }
    }

    fn change(wish: &StreamWish, existing: &Config) -> Change {
        Change::between("stream", "SORTIE", Some(fields(existing)), fields(&wanted(wish, Some(existing))))
    }

    #[test]
    fn what_is_not_said_stays_as_others_have_set_it() {
        let made = wanted(&wish(), None);
        assert_eq!((made.subjects.as_slice(), made.max_age), (["s.e.>".to_owned()].as_slice(), MAX_AGE.to_std()));
        let theirs =
            Config { max_messages: 7, subjects: vec!["other".into()], max_age: Duration::from_secs(9), ..made };
        let after = wanted(&wish(), Some(&theirs));
        assert_eq!((after.max_messages, after.max_age), (7, Duration::from_secs(9)));
        assert_eq!(after.subjects, ["other", "s.e.>"]);
    }

    #[test]
    fn a_second_time_nothing_changes() {
        let made = wanted(&wish(), None);
        assert_eq!(change(&wish(), &made).change, Done::Unchanged);
        let older = StreamWish { max_age: Some(Span::hours(1)), ..wish() };
        let changed = change(&older, &made);
        assert_eq!(changed.lines(true)[..2], ["stream SORTIE: would be updated", "  max_age: 30 days -> 1 h"]);
        assert_eq!(change(&older, &wanted(&older, Some(&made))).change, Done::Unchanged);
    }

    #[test]
    fn ids_are_remembered_no_longer_than_events() {
        let short = StreamWish { max_age: Some(Span::minutes(1)), ..wish() };
        assert_eq!(wanted(&short, None).duplicate_window, Duration::from_secs(60));
        let unlimited = StreamWish { max_age: Some(Span::ZERO), ..wish() };
        assert_eq!(wanted(&unlimited, None).duplicate_window, DUPLICATES_WITHIN.to_std());
    }
}
