//! Instants as they are typed: `2026-03-01T09:00:00Z`, or `+10m` from now.

use std::str::FromStr;

use sortie_rules::time::{Millis, Span};

/// An instant that may depend on now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// This one.
    At(Millis),
    /// So long after now.
    After(Span),
}

impl When {
    /// The instant, given now.
    pub(crate) fn resolve(self, now: Millis) -> Millis {
        match self {
            When::At(at) => at,
            When::After(span) => now + span,
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<When, String> {
        if let Some(span) = text.strip_prefix('+') {
            return span.parse().map(When::After).map_err(|error: sortie_rules::durations::NotASpan| error.to_string());
        }
        match text.parse::<jiff::Timestamp>() {
            Ok(timestamp) => Ok(When::At(Millis(timestamp.as_millisecond()))),
            Err(_) => Err("write an instant with its offset, 2026-03-01T09:00:00Z, or how far ahead, +10m".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_absolute_or_ahead() {
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(When::At(Millis(1000))));
        assert_eq!("1970-01-01T01:00:01+01:00".parse(), Ok(When::At(Millis(1000))));
        assert_eq!("+10m".parse::<When>().unwrap().resolve(Millis(5)), Millis(600_005));
        for text in ["", "10m", "tomorrow", "2026-03-01", "2026-03-01T09:00:00", "+soon"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }
}
