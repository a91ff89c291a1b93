//! Time zones, as this machine knows them.

use jiff::tz::TimeZone;

/// The zone of this name.
///
/// # Errors
/// A sentence without its full stop.
pub(super) fn zone(name: &str) -> Result<TimeZone, String> {
    // `local` and the like would be another at each hub.
    let is_name = name == "UTC" || name.contains('/');
    let given: String = name.chars().take(80).collect();
    let unknown = || format!("this hub's machine knows no time zone `{given}`; one is called like Europe/Budapest");
    if is_name { TimeZone::get(name).map_err(|_| unknown()) } else { Err(unknown()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_by_their_own_names_only() {
        assert!(zone("UTC").is_ok() && zone("Europe/Budapest").is_ok());
        for name in ["", "local", "Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "CET-1CEST"] {
            assert!(zone(name).is_err(), "{name}");
        }
    }
}
