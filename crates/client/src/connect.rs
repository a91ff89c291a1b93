//! How a hub is reached: its address, whom to believe, who we are, which way out.
//!
//! Every call speaks HTTP/1.1. A held wait costs the hub about 21 KiB that way against 33 over
//! HTTP/2, waits, heartbeats and large results do not queue behind each other on one connection,
//! and it is what passes every proxy. Connections are kept and used again.

use reqwest::Url;

use crate::call::Line;
use crate::clock::Clock;
use crate::proxy::{self, Proxy};
use crate::tls::{self, Identity, Trust};

/// Everything needed to reach one hub.
#[derive(Debug, Clone)]
pub struct Connect {
    /// Its address, for example `https://hub.example:8443`.
    pub hub: String,
    /// Which certificate is believed to be the hub's.
    pub trust: Trust,
    /// Certificates (PEM) believed beside those of `trust`: the authority of a proxy that inspects
    /// TLS, or of a proxy that is itself reached over TLS. Ignored with [`Trust::Fingerprint`],
    /// where nothing but the fingerprint counts.
    pub also_trust: Option<String>,
    /// Whether the operating system's authorities are believed beside those of `trust`; as above.
    pub also_system: bool,
    /// The certificate with which we prove ourselves.
    pub identity: Option<Identity>,
    /// The way out.
    pub proxy: Proxy,
    /// By which time certificates are judged.
    pub clock: Clock,
    /// Believe certificates whose dates alone are wrong. Only for asking the hub for its signed
    /// time when the local clock is wrong: nothing secret may be sent over such a connection.
    pub ignore_dates: bool,
    /// Believe any certificate. Only for following the chain of the hub's key sets, whose links prove
    /// themselves: nothing secret may be sent over such a connection, and nothing else that comes over it be
    /// believed.
    pub ignore_trust: bool,
}

impl Connect {
    /// The plain case: this hub, this trust, proxies from the environment.
    pub fn new(hub: impl Into<String>, trust: Trust, clock: Clock) -> Connect {
        Connect {
            hub: hub.into(),
            trust,
            also_trust: None,
            also_system: false,
            identity: None,
            proxy: Proxy::Environment,
            clock,
            ignore_dates: false,
            ignore_trust: false,
        }
    }

    /// A line that carries requests. Nothing is sent yet.
    pub(crate) fn line(&self) -> Result<Line, SetupError> {
        let base = base_url(&self.hub)?;
        let config = tls::client_config(self)?;
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .http1_only()
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("sortie/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(crate::call::CONNECT_TIME)
            .tcp_nodelay(true)
            .tcp_keepalive(crate::call::TCP_KEEPALIVE)
            .pool_idle_timeout(crate::call::IDLE_TIME)
            .pool_max_idle_per_host(crate::call::IDLE_CONNECTIONS_MAX);
        let http = proxy::apply(builder, &self.proxy)?.build().map_err(SetupError::Client)?;
        Ok(Line::new(http, base))
    }
}

/// What was given cannot be used to reach a hub.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address is not one.
    #[error("`{given}` is not the address of a hub: {why}; it looks like https://hub.example:8443")]
    Address {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// A certificate that shall be believed cannot be read.
    #[error("the certificates to trust cannot be read: {0}")]
    Trust(String),
    /// Our own certificate or key cannot be used.
    #[error("the client certificate and its key cannot be used: {0}")]
    Identity(String),
    /// The proxy's address is not one.
    #[error("the proxy cannot be used")]
    Proxy(#[source] reqwest::Error),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

fn base_url(hub: &str) -> Result<Url, SetupError> {
    let refuse = |why: &str| SetupError::Address { given: hub.chars().take(200).collect(), why: why.to_owned() };
    let mut url = Url::parse(hub.trim()).map_err(|error| refuse(&error.to_string()))?;
    if url.scheme() != "https" {
        return Err(refuse("it must begin with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it must not hold credentials"));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_over_tls_without_credentials_are_taken() {
        assert!(base_url("https://hub.example:8443/").is_ok());
        assert!(base_url("https://gate.example/sortie").is_ok());
        for (address, why) in [
            ("hub.example", "relative URL"),
            ("http://hub.example", "must begin with https"),
            ("https://me:pass@hub.example", "credentials"),
        ] {
            let refusal = base_url(address).unwrap_err().to_string();
            assert!(refusal.contains(why), "{refusal}");
        }
    }
}
