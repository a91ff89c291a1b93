//! Which certificates a PostgreSQL server is checked with.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::errors::OpenError;

/// A connector that trusts the certificates in `file`, or the system's.
pub(super) fn connector(file: Option<&Path>) -> Result<MakeRustlsConnect, OpenError> {
    let certificates = |why: String| OpenError::Certificates { why };
    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            let unreadable = |why: &dyn std::fmt::Display| certificates(format!("{}: {why}", file.display()));
            for certificate in CertificateDer::pem_file_iter(file).map_err(|why| unreadable(&why))? {
                let certificate = certificate.map_err(|why| unreadable(&why))?;
                roots.add(certificate).map_err(|why| unreadable(&why))?;
            }
        }
        // A certificate among the system's that cannot be read is passed over, as everyone does.
        None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
    }
    if roots.is_empty() {
        return Err(certificates("there are none".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| certificates(why.to_string()))?;
    Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
}
