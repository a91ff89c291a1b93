//! Instants as others read them.

use sortie_rules::time::Millis;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant as RFC 3339 writes it.
pub(crate) fn rfc3339(at: Millis) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000).ok();
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_its_milliseconds_if_there_are_any() {
        assert_eq!(rfc3339(Millis(1_000)), "1970-01-01T00:00:01Z");
        assert_eq!(rfc3339(Millis(1_001)), "1970-01-01T00:00:01.001Z");
    }
}
