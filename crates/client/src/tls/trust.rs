//! Which certificates are believed.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::connect::SetupError;

/// Which certificate is believed to be the hub's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// A chain that holds, or ends in, the certificate with this SHA-256 (of its DER, in hex), and
    /// that this certificate vouches for. Names and dates are checked as ever.
    Fingerprint(String),
    /// A chain that one of these certificates (PEM) vouches for.
    Pem(String),
    /// A chain that the operating system's authorities vouch for.
    System,
}

/// A pinned certificate's SHA-256.
pub(super) type Pin = [u8; 32];

impl Trust {
    /// The pin, if trust is by fingerprint.
    pub(super) fn pin(&self) -> Result<Option<Pin>, SetupError> {
        let Trust::Fingerprint(text) = self else { return Ok(None) };
        let mut pin = Pin::default();
        let plain: String = text.chars().filter(|c| *c != ':' && !c.is_whitespace()).collect();
        hex::decode_to_slice(plain, &mut pin).map_err(|_| {
            SetupError::Trust("a fingerprint is the SHA-256 of a certificate: 64 hex digits".to_owned())
        })?;
        Ok(Some(pin))
    }

    /// The authorities that are believed beside a pin.
    pub(super) fn roots(&self, also: Option<&str>, also_system: bool) -> Result<RootCertStore, SetupError> {
        let mut roots = RootCertStore::empty();
        match self {
            Trust::Fingerprint(_) => return Ok(roots),
            Trust::Pem(pem) => add_pem(&mut roots, pem)?,
            Trust::System => {}
        }
        if also_system || *self == Trust::System {
            // A machine may hold damaged certificates beside good ones; what is left must do.
            let (_added, _ignored) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        if let Some(pem) = also {
            add_pem(&mut roots, pem)?;
        }
        Ok(roots)
    }
}

fn add_pem(roots: &mut RootCertStore, pem: &str) -> Result<(), SetupError> {
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| SetupError::Trust(error.to_string()))?;
        roots.add(certificate).map_err(|error| SetupError::Trust(error.to_string()))?;
        found += 1;
    }
    if found == 0 {
        return Err(SetupError::Trust("there is no certificate (PEM) in it".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons() {
        let plain = "ab".repeat(32);
        let pin = Trust::Fingerprint(plain.clone()).pin().unwrap();
        assert_eq!(pin, Some([0xab; 32]));
        assert_eq!(Trust::Fingerprint(vec!["AB"; 32].join(":")).pin().unwrap(), pin);
        assert!(Trust::Fingerprint(plain[2..].to_owned()).pin().is_err());
    }

    #[test]
    fn a_bundle_without_certificates_is_refused() {
        assert!(Trust::Pem("nothing here".into()).roots(None, false).is_err());
        assert!(Trust::System.roots(Some(""), false).is_err());
    }
}
