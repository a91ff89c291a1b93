//! The URL of a PostgreSQL database.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::errors::OpenError;

/// Longest wait for a connection to stand.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long a silent connection may be silent before the system asks whether the server is there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// How often it asks again. A connection that has nothing to send, such as the one on which bells are heard, is found
/// broken at one of these moments, once it has been silent for as long as [`UNACKNOWLEDGED_MAX`].
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(5);
/// How long sent bytes may stay unacknowledged before the connection counts as broken.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(30);

/// What the URL says.
pub(super) struct Address {
    pub(super) config: Config,
    /// Whether the connection is to be encrypted, and the server's certificate checked.
    pub(super) tls: bool,
    /// The certificates to check it with; the system's if none are named.
    pub(super) trusted: Option<PathBuf>,
}

/// Reads the URL. `sslmode` and `sslrootcert` are taken out and understood here: `require` checks
/// the server's certificate and name, which other programs only do for `verify-full`, since a
/// connection that is encrypted to an unknown server protects nothing.
pub(super) fn parse(url: &str) -> Result<Address, OpenError> {
    let location = |why: String| OpenError::Location { why };
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut tls, mut trusted, mut rest) = (false, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("sslmode", "disable") => tls = false,
            ("sslmode", "require" | "verify-full") => tls = true,
            ("sslmode", other) => {
                return Err(location(format!("sslmode={other} is not one of disable, require, verify-full")));
            }
            ("sslrootcert", file) => trusted = Some(PathBuf::from(file)),
            _ => rest.push(pair),
        }
    }
    let bare = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    let mut config: Config = bare.parse().map_err(|why: tokio_postgres::Error| {
        // The error's own words may quote the URL; its source says only what is wrong.
        location(std::error::Error::source(&why).map_or("it is not a PostgreSQL URL".into(), ToString::to_string))
    })?;
    config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
    config.connect_timeout(CONNECT_MAX).tcp_user_timeout(UNACKNOWLEDGED_MAX);
    config.keepalives_idle(KEEPALIVE_IDLE).keepalives_interval(KEEPALIVE_AGAIN);
    if config.get_application_name().is_none() {
        config.application_name("sortie");
    }
    Ok(Address { config, tls, trusted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_tls_is_understood_here_and_the_rest_is_passed_on() {
        let url = "postgres://u:p@h:5433/d?sslmode=verify-full&options=-c%20search_path%3Dsortie&sslrootcert=/ca.pem";
        let address = parse(url).unwrap();
        assert!(address.tls);
        assert_eq!(address.trusted, Some("/ca.pem".into()));
        assert_eq!(address.config.get_options(), Some("-c search_path=sortie"));
        assert_eq!(address.config.get_ports(), [5433]);
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_without_its_password() {
        for url in ["postgres://u:secret@h:port/d", "postgres://u:secret@h/d?sslmode=prefer"] {
            let why = parse(url).err().expect("refused").to_string();
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
