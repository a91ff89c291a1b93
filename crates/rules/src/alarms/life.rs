//! What becomes of one alarm: it waits until it has been so for long enough, stands, and is over. Of one rule, node and
//! subject there is one at a time, so what is said twice is told once.

use super::rule::AlarmRule;
use crate::time::Millis;

/// One alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// Where it stands.
    pub state: AlarmState,
    /// Since when it is so.
    pub began_at: Millis,
    /// When it was last said to be so.
    pub seen_at: Millis,
    /// How often it was said to be so.
    pub seen: u32,
}

/// Where an alarm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// It is so, but not for long enough; it stands from then on.
    Pending {
        /// From when on.
        open_at: Millis,
    },
    /// It stands, and people are told.
    Open {
        /// It is over by itself then, unless it begins again.
        over_at: Option<Millis>,
    },
    /// It is over.
    Resolved,
}

/// What has been seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is so.
    Begins,
    /// It is not so any more.
    Ends,
    /// Time has passed.
    Time,
}

/// What people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It stands.
    Opened,
    /// It is over.
    Resolved,
}

impl AlarmState {
    /// The bare word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            AlarmState::Pending { .. } => "pending",
            AlarmState::Open { .. } => "open",
            AlarmState::Resolved => "resolved",
        }
    }

    /// When time alone changes it.
    pub const fn due_at(self) -> Option<Millis> {
        match self {
            AlarmState::Pending { open_at } => Some(open_at),
            AlarmState::Open { over_at } => over_at,
            AlarmState::Resolved => None,
        }
    }
}

/// What becomes of the alarm of a rule when this is seen at `at`; nothing: there is none (any more). One that is over
/// stays over: what begins then is another alarm.
pub fn next(rule: &AlarmRule, before: Option<Alarm>, seen: Seen, at: Millis) -> (Option<Alarm>, Option<News>) {
    let over_at = || rule.lasts().map(|span| at + span);
    let open =
        |alarm: Alarm| (Some(Alarm { state: AlarmState::Open { over_at: over_at() }, ..alarm }), Some(News::Opened));
    let Some(alarm) = before.filter(|alarm| alarm.state != AlarmState::Resolved) else {
        if seen != Seen::Begins {
            return (before, None);
        }
        let begun =
            Alarm { state: AlarmState::Pending { open_at: at + rule.hold }, began_at: at, seen_at: at, seen: 1 };
        return if rule.hold.0 == 0 { open(begun) } else { (Some(begun), None) };
    };
    let again = Alarm { seen_at: alarm.seen_at.max(at), seen: alarm.seen.saturating_add(1), ..alarm };
    match (alarm.state, seen) {
        (AlarmState::Pending { .. }, Seen::Ends) => (None, None),
        (AlarmState::Pending { open_at }, Seen::Begins) if open_at <= at => open(again),
        (AlarmState::Pending { open_at }, Seen::Time) if open_at <= at => open(alarm),
        (AlarmState::Pending { .. }, Seen::Begins) => (Some(again), None),
        (AlarmState::Open { .. }, Seen::Begins) => {
            (Some(Alarm { state: AlarmState::Open { over_at: over_at() }, ..again }), None)
        }
        (AlarmState::Open { .. }, Seen::Ends) => resolved(alarm),
        (AlarmState::Open { over_at: Some(over) }, Seen::Time) if over <= at => resolved(alarm),
        (_, Seen::Time) | (AlarmState::Resolved, _) => (Some(alarm), None),
    }
}

fn resolved(alarm: Alarm) -> (Option<Alarm>, Option<News>) {
    (Some(Alarm { state: AlarmState::Resolved, ..alarm }), Some(News::Resolved))
}

#[cfg(test)]
mod tests {
    use super::super::pattern::EventPattern;
    use super::super::rule::Cause;
    use super::super::severity::Severity;
    use super::*;
    use crate::time::Span;
    use proptest::prelude::*;

    const AT: Millis = Millis(1_000_000);

    fn rule(hold_s: i64, lasts: Option<i64>) -> AlarmRule {
        let (begins, ends) = (vec![EventPattern::of("a")], vec![EventPattern::of("b")]);
        let lasts = lasts.map(Span::seconds);
        let cause = Cause::Events { begins, ends, lasts, subject: None };
        let (name, summary) = ("a.b".to_owned(), "It is so.".to_owned());
        AlarmRule { name, severity: Severity::Warning, summary, hold: Span::seconds(hold_s), cause }
    }

    fn after(seconds: i64) -> Millis {
        AT + Span::seconds(seconds)
    }

    #[test]
    fn one_that_is_held_stands_when_its_time_has_come() {
        let rule = rule(60, None);
        let (begun, told) = next(&rule, None, Seen::Begins, AT);
        let alarm = begun.unwrap();
        assert_eq!((alarm.state, told), (AlarmState::Pending { open_at: after(60) }, None));
        assert_eq!(next(&rule, begun, Seen::Time, after(59)), (begun, None));
        let (again, told) = next(&rule, begun, Seen::Begins, after(59));
        assert_eq!((again.unwrap().seen, again.unwrap().state, told), (2, alarm.state, None));
        let (open, told) = next(&rule, again, Seen::Time, after(60));
        assert_eq!((open.unwrap().state, told), (AlarmState::Open { over_at: None }, Some(News::Opened)));
        assert_eq!(open.unwrap().began_at, AT);
        assert_eq!(next(&rule, begun, Seen::Begins, after(61)).1, Some(News::Opened));
        assert_eq!(next(&rule, begun, Seen::Ends, after(59)), (None, None), "nobody was told, nobody is");
    }

    #[test]
    fn one_that_is_not_held_stands_at_once_and_what_is_said_twice_is_told_once() {
        let rule = rule(0, None);
        let (open, told) = next(&rule, None, Seen::Begins, AT);
        assert_eq!(told, Some(News::Opened));
        let (again, told) = next(&rule, open, Seen::Begins, after(5));
        assert_eq!((again.unwrap().seen, again.unwrap().seen_at, told), (2, after(5), None));
        assert_eq!(next(&rule, again, Seen::Time, after(1 << 30)), (again, None));
        let (over, told) = next(&rule, again, Seen::Ends, after(9));
        assert_eq!((over.unwrap().state, told), (AlarmState::Resolved, Some(News::Resolved)));
        assert_eq!(next(&rule, over, Seen::Ends, after(9)), (over, None));
        assert_eq!(next(&rule, over, Seen::Begins, after(10)).1, Some(News::Opened), "another one");
        assert_eq!(next(&rule, None, Seen::Ends, AT), (None, None));
        assert_eq!(next(&rule, None, Seen::Time, AT), (None, None));
    }

    #[test]
    fn one_that_lasts_is_over_by_itself_unless_it_begins_again() {
        let rule = rule(0, Some(10));
        let open = next(&rule, None, Seen::Begins, AT).0;
        let again = next(&rule, open, Seen::Begins, after(8)).0;
        assert_eq!(next(&rule, again, Seen::Time, after(10)).1, None);
        assert_eq!(next(&rule, again, Seen::Time, after(18)).1, Some(News::Resolved));
        assert_eq!(again.unwrap().state.due_at(), Some(after(18)));
    }

    proptest! {
        /// Whatever is seen, what is opened is resolved before it is opened again.
        #[test]
        fn news_alternate(
            steps in proptest::collection::vec((0u8..3, 0i64..40), 1..80), hold in 0i64..30, lasts in 0i64..30,
        ) {
            let rule = rule(hold, (lasts > 0).then_some(lasts));
            let (mut alarm, mut is_open, mut now) = (None, false, AT);
            for (seen, later) in steps {
                now = now + Span::seconds(later);
                let seen = [Seen::Begins, Seen::Ends, Seen::Time][usize::from(seen)];
                let (after, news) = next(&rule, alarm, seen, now);
                match news {
                    Some(News::Opened) => { prop_assert!(!is_open); is_open = true; }
                    Some(News::Resolved) => { prop_assert!(is_open); is_open = false; }
                    None => {}
                }
                let stands = after.is_some_and(|alarm| matches!(alarm.state, AlarmState::Open { .. }));
                prop_assert_eq!(stands, is_open);
                alarm = after;
            }
        }
    }
}
