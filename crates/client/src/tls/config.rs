//! Puts trust, identity and clock together for rustls.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use super::verifier::HubVerifier;
use crate::clock::Clock;
use crate::connect::{Connect, SetupError};
use crate::crypto;

/// The TLS half of a connection, for those who speak something else over it than the hub's API.
pub fn client_config(connect: &Connect) -> Result<ClientConfig, SetupError> {
    let provider = crypto::provider();
    let verifier = HubVerifier {
        pin: connect.trust.pin()?,
        roots: connect.trust.roots(connect.also_trust.as_deref(), connect.also_system)?,
        ignore_dates: connect.ignore_dates,
        ignore_trust: connect.ignore_trust,
        provider: Arc::clone(&provider),
    };
    let builder = ClientConfig::builder_with_details(provider, Arc::new(CertificateTime(connect.clock.clone())))
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError::Trust(error.to_string()))?
        .dangerous() // Named so by rustls: we bring the verifier ourselves.
        .with_custom_certificate_verifier(Arc::new(verifier));
    match &connect.identity {
        None => Ok(builder.with_no_client_auth()),
        Some(identity) => {
            let (chain, key) = identity.parse()?;
            builder.with_client_auth_cert(chain, key).map_err(|error| SetupError::Identity(error.to_string()))
        }
    }
}

/// By which time certificates are judged.
#[derive(Debug)]
struct CertificateTime(Clock);

impl TimeProvider for CertificateTime {
    fn current_time(&self) -> Option<UnixTime> {
        let since_epoch = u64::try_from(self.0.now().0).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_millis(since_epoch)))
    }
}
