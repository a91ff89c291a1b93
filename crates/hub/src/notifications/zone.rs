//! Times as somebody reads them who lives in a zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sortie_rules::time::Millis;

/// A time zone, with all that the system's table knows of it.
#[derive(Debug, Clone)]
pub(super) struct Zone(TimeZone);

/// The parts of a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local {
    /// From 1.
    pub(super) month: i8,
    /// From 1.
    pub(super) day: i8,
    /// 0 to 23.
    pub(super) hour: i8,
    /// 0 to 59.
    pub(super) minute: i8,
}

impl Zone {
    /// The zone of this name; UTC if there is none, or the system does not know it (any more).
    pub(super) fn of(name: Option<&str>) -> Zone {
        Zone(name.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC))
    }

    /// Whether the system knows a zone of this name.
    pub(super) fn is_known(name: &str) -> bool {
        TimeZone::get(name).is_ok()
    }

    /// A time with its date and the zone's short name.
    pub(super) fn write(&self, at: Millis) -> String {
        self.zoned(at).strftime("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// Its parts.
    pub(super) fn local(&self, at: Millis) -> Local {
        let zoned = self.zoned(at);
        Local { month: zoned.month(), day: zoned.day(), hour: zoned.hour(), minute: zoned.minute() }
    }

    fn zoned(&self, at: Millis) -> jiff::Zoned {
        Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_zone_and_of_its_season() {
        // The fifteenth of January, and of July, 2026, at noon in Greenwich.
        let (winter, summer) = (Millis(1_768_478_400_000), Millis(1_784_116_800_000));
        let budapest = Zone::of(Some("Europe/Budapest"));
        assert_eq!((budapest.write(winter), budapest.local(summer).hour), ("2026-01-15 13:00 CET".to_owned(), 14));
        for nowhere in [None, Some("Nowhere/Land")] {
            assert_eq!(Zone::of(nowhere).write(winter), "2026-01-15 12:00 UTC");
        }
        assert!(Zone::is_known("Europe/Budapest") && !Zone::is_known("Nowhere/Land"));
    }
}
