//! The certificate with which we prove ourselves (mutual TLS).

use std::fmt;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::connect::SetupError;

/// A certificate and its private key.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate and what vouches for it (PEM).
    pub chain_pem: String,
    /// Its private key (PKCS#8, PEM).
    pub key_pem: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(key withheld)")
    }
}

impl Identity {
    pub(super) fn parse(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), SetupError> {
        let refuse =
            |what: &str, error: rustls::pki_types::pem::Error| SetupError::Identity(format!("{what}: {error}"));
        let chain = CertificateDer::pem_slice_iter(self.chain_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| refuse("the certificate", error))?;
        if chain.is_empty() {
            return Err(SetupError::Identity("there is no certificate".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).map_err(|error| refuse("the key", error))?;
        Ok((chain, key))
    }
}
