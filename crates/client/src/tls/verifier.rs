//! Checks what a peer presents: the ordinary rules of the web's certificates, with one addition (a
//! pinned certificate may be the anchor) and one service (a refusal says what was presented).

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};
use sortie_rules::time::{Millis, Span};

use super::fault::TlsFault;
use super::presented::{Presented, fingerprint};
use super::trust::Pin;

/// Believes the hub and nobody else.
#[derive(Debug)]
pub(super) struct HubVerifier {
    /// The certificate that must be in the chain and vouch for it.
    pub(super) pin: Option<Pin>,
    /// Who else is believed.
    pub(super) roots: RootCertStore,
    /// Judge every certificate as of the day it was made.
    pub(super) ignore_dates: bool,
    /// Believe any certificate.
    pub(super) ignore_trust: bool,
    /// Who computes.
    pub(super) provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for HubVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.ignore_trust {
            return Ok(ServerCertVerified::assertion());
        }
        let presented = Presented::read(end_entity);
        let now = if self.ignore_dates { presented.as_ref().map_or(now, made_at) } else { now };
        let verdict = match self.pin {
            Some(pin) => check_pinned(self, &pin, end_entity, intermediates, now),
            None => self.check_chain(&self.roots, end_entity, intermediates, now),
        };
        let verdict = verdict.and_then(|()| {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name).map_err(Into::into)
        });
        verdict.map(|()| ServerCertVerified::assertion()).map_err(|refusal| refusal.explain(presented, server_name))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl HubVerifier {
    fn check_chain(
        &self,
        roots: &RootCertStore,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let parsed = ParsedCertificate::try_from(end_entity)?;
        Ok(verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, algorithms)?)
    }
}

/// The pinned certificate must be in the chain; then it is the only anchor. If it is the server's
/// own, there is no chain to build: the handshake proves the key, and only the dates are left.
fn check_pinned(
    verifier: &HubVerifier,
    pin: &Pin,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    now: UnixTime,
) -> Result<(), Refusal> {
    let pin = hex::encode(pin);
    if fingerprint(end_entity) == pin {
        let presented = Presented::read(end_entity).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        return check_dates(&presented, now).map_err(Refusal::Rustls);
    }
    let anchor = intermediates.iter().find(|certificate| fingerprint(certificate) == pin);
    let Some(anchor) = anchor else { return Err(Refusal::OtherFingerprint { expected: pin }) };
    let mut roots = RootCertStore::empty();
    roots.add(anchor.clone().into_owned())?;
    verifier.check_chain(&roots, end_entity, intermediates, now)
}

fn check_dates(presented: &Presented, now: UnixTime) -> Result<(), Error> {
    let now = Millis(0) + Span::seconds(i64::try_from(now.as_secs()).unwrap_or(i64::MAX / 1000));
    if now < presented.not_before {
        return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    if now > presented.not_after {
        return Err(Error::InvalidCertificate(CertificateError::Expired));
    }
    Ok(())
}

fn made_at(presented: &Presented) -> UnixTime {
    UnixTime::since_unix_epoch(Span(presented.not_before.0 + 1000).to_std())
}

enum Refusal {
    OtherFingerprint { expected: String },
    Rustls(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Rustls(error)
    }
}

impl Refusal {
    /// The refusal with what was presented, in a form that rustls carries to the caller.
    fn explain(self, presented: Option<Presented>, server_name: &ServerName<'_>) -> Error {
        use CertificateError as C;
        let Some(presented) = presented.map(Box::new) else {
            return Error::InvalidCertificate(C::BadEncoding);
        };
        let fault = match self {
            Refusal::OtherFingerprint { expected } => TlsFault::OtherFingerprint { expected, presented },
            Refusal::Rustls(Error::InvalidCertificate(error)) => match error {
                C::UnknownIssuer => TlsFault::UnknownIssuer { presented },
                C::Expired | C::ExpiredContext { .. } => TlsFault::Expired { presented },
                C::NotValidYet | C::NotValidYetContext { .. } => TlsFault::NotYetValid { presented },
                C::NotValidForName | C::NotValidForNameContext { .. } => {
                    TlsFault::OtherName { expected: server_name.to_str().into_owned(), presented }
                }
                other => TlsFault::Other(format!("the certificate presented there is not good: {other}")),
            },
            Refusal::Rustls(other) => return other,
        };
        Error::InvalidCertificate(C::Other(OtherError(Arc::new(fault))))
    }
}
