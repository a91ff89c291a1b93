//! Times as people say them.

use std::time::Duration;

use sortie_rules::time::{Millis, Span};

/// How far `at` is from `now`: `just now`, `3 min ago`, `in 2 h`.
pub(crate) fn ago(now: Millis, at: Millis) -> String {
    // To the nearest: an invite that was made just now for an hour ends in 60 min, not in 59.
    let nearest = |seconds: i64, unit: i64| (seconds + unit / 2) / unit;
    let distance = |span: Span| {
        let seconds = nearest(span.0, 1000);
        match seconds {
            0..120 => format!("{seconds} s"),
            120..7200 => format!("{} min", nearest(seconds, 60)),
            7200..172_800 => format!("{} h", nearest(seconds, 3600)),
            _ => format!("{} d", nearest(seconds, 86_400)),
        }
    };
    let (past, future) = (now.since(at), at.since(now));
    if past.0 < 1000 && future.0 < 1000 {
        return "just now".to_owned();
    }
    if past > Span::ZERO { format!("{} ago", distance(past)) } else { format!("in {}", distance(future)) }
}

/// An instant in UTC: `2026-03-01 09:15:00 UTC`.
pub(crate) fn utc(at: Millis) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(timestamp) => timestamp.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => format!("{} ms", at.0),
    }
}

/// Only the time of day, in UTC: `09:15:00.042`.
pub(crate) fn clock_time(at: Millis) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(timestamp) => timestamp.strftime("%H:%M:%S%.3f").to_string(),
        Err(_) => format!("{} ms", at.0),
    }
}

/// Both: `2026-03-01 09:15:00 UTC (3 min ago)`.
pub(crate) fn moment(now: Millis, at: Millis) -> String {
    format!("{} ({})", utc(at), ago(now, at))
}

/// A measured time: `0.04 s`, `12.3 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_said_in_the_largest_unit_that_is_still_exact_enough() {
        let now = Millis(1_000_000_000);
        for (span, said) in [
            (Span(400), "just now"),
            (Span::seconds(59), "59 s ago"),
            (Span::seconds(119), "119 s ago"),
            (Span(3_599_990), "60 min ago"),
            (Span::minutes(3), "3 min ago"),
            (Span::minutes(119), "119 min ago"),
            (Span::hours(5), "5 h ago"),
            (Span::days(3), "3 d ago"),
        ] {
            assert_eq!(ago(now, now - span), said);
        }
        assert_eq!(ago(now, now + Span::minutes(30)), "in 30 min");
    }

    #[test]
    fn instants_are_shown_in_utc() {
        assert_eq!(utc(Millis(0)), "1970-01-01 00:00:00 UTC");
        assert_eq!(clock_time(Millis(3_723_042)), "01:02:03.042");
        assert_eq!(moment(Millis(60_000), Millis(0)), "1970-01-01 00:00:00 UTC (60 s ago)");
    }
}
