//! What a peer presented, read only so far that a person can be told.

use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sortie_rules::time::{Millis, Span};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::time::ASN1Time;

/// A certificate that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// Whose it is, as it says itself.
    pub subject: String,
    /// Who vouches for it, as it says itself. Behind a proxy that inspects TLS, the proxy's authority.
    pub issuer: String,
    /// From when it holds.
    pub not_before: Millis,
    /// Until when it holds.
    pub not_after: Millis,
    /// The SHA-256 of the certificate, in hex.
    pub fingerprint: String,
}

impl Presented {
    /// Reads a certificate; `None` if it is not one.
    pub fn read(der: &CertificateDer<'_>) -> Option<Presented> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        Some(Presented {
            subject: name(certificate.subject().to_string()),
            issuer: name(certificate.issuer().to_string()),
            not_before: millis(certificate.validity().not_before),
            not_after: millis(certificate.validity().not_after),
            fingerprint: fingerprint(der),
        })
    }
}

/// The SHA-256 of a certificate's DER, in hex.
pub fn fingerprint(der: &[u8]) -> String {
    hex::encode(digest(&SHA256, der))
}

/// The same of the first certificate in a text (PEM).
pub fn fingerprint_of_pem(pem: &str) -> Option<String> {
    CertificateDer::from_pem_slice(pem.as_bytes()).ok().map(|der| fingerprint(&der))
}

fn millis(time: ASN1Time) -> Millis {
    Millis(0) + Span(time.timestamp().saturating_mul(1000))
}

/// A name for print: a stranger wrote it, so it is cut and stripped of control characters.
fn name(text: String) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    if clean.is_empty() { "(no name)".to_owned() } else { clean }
}
