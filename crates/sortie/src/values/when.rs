//! Instants as they are typed: `2026-03-01T09:00:00Z`, `+10m` from now, or `-7d` ago.

use std::str::FromStr;

use sortie_rules::time::{Millis, Span};

/// An instant that may depend on now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// This one.
    At(Millis),
    /// So long after now.
    After(Span),
    /// So long before now.
    Before(Span),
}

impl When {
    /// The instant, given now.
    pub(crate) fn resolve(self, now: Millis) -> Millis {
        match self {
            When::At(at) => at,
            When::After(span) => now + span,
            When::Before(span) => Millis(now.0.saturating_sub(span.0)),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<When, String> {
        let far: fn(Span) -> When = if text.starts_with('-') { When::Before } else { When::After };
        if let Some(span) = text.strip_prefix(['+', '-']) {
            return span.parse().map(far).map_err(|error: sortie_rules::durations::NotASpan| error.to_string());
        }
        match text.parse::<jiff::Timestamp>() {
            Ok(timestamp) => Ok(When::At(Millis(timestamp.as_millisecond()))),
            Err(_) => {
                Err("write an instant with its offset, 2026-03-01T09:00:00Z, how far ahead, +10m, or how long ago, -7d"
                    .to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_absolute_or_ahead_or_past() {
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(When::At(Millis(1000))));
        assert_eq!("1970-01-01T01:00:01+01:00".parse(), Ok(When::At(Millis(1000))));
        assert_eq!("+10m".parse::<When>().unwrap().resolve(Millis(5)), Millis(600_005));
        assert_eq!("-7d".parse::<When>().unwrap().resolve(Millis(604_800_005)), Millis(5));
        for text in ["", "-", "10m", "tomorrow", "2026-03-01", "2026-03-01T09:00:00", "+soon"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }
}
