//! Checks what the key of a hub's certificate has signed beside TLS, against a certificate that is pinned: an
//! answer that came over a connection which ended at somebody else.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{RootCertStore, SignatureScheme};
use sortie_rules::time::Millis;
use sortie_wire::envelope::Signature;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::trust::Trust;
use super::verifier::HubVerifier;
use crate::crypto;

/// A message, and the signature by the key of a certificate.
#[derive(Debug)]
pub(crate) struct Endorsed<'a> {
    /// The certificate and what vouches for it (PEM).
    pub(crate) chain: &'a str,
    /// What was signed.
    pub(crate) message: &'a [u8],
    /// The signature; its `keyid` is the number that TLS gives its kind.
    pub(crate) signature: Signature,
}

/// Why an endorsement counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotEndorsed {
    #[error("the certificates that came with it cannot be read")]
    Unreadable,
    #[error("the hub's address is no name that a certificate could have")]
    NoName,
    #[error("{0}")]
    Distrusted(String),
    #[error("the signature is of a kind that is not known here, or does not fit")]
    BadSignature,
}

impl Endorsed<'_> {
    /// Whether the pinned certificate vouches, at this time, for one that names the hub's address and whose key
    /// has signed the message.
    pub(crate) fn check(&self, pin: &str, hub: &str, now: Millis) -> Result<(), NotEndorsed> {
        let chain = CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|_| NotEndorsed::Unreadable)?;
        let (leaf, others) = chain.split_first().ok_or(NotEndorsed::Unreadable)?;
        let distrusted = |why: String| NotEndorsed::Distrusted(why);
        let pin = Trust::Fingerprint(pin.to_owned()).pin().map_err(|error| distrusted(error.to_string()))?;
        let provider = crypto::provider();
        let verifier = HubVerifier {
            pin,
            roots: RootCertStore::empty(),
            ignore_dates: false,
            ignore_trust: false,
            provider: Arc::clone(&provider),
        };
        let now = UnixTime::since_unix_epoch(now.since(Millis(0)).to_std());
        let verdict = verifier.verify_server_cert(leaf, others, &name(hub)?, &[], now);
        verdict.map_err(|error| distrusted(super::fault::in_words(&error)))?;
        self.is_signed_by(leaf, &provider).ok_or(NotEndorsed::BadSignature)
    }

    fn is_signed_by(&self, leaf: &CertificateDer<'_>, provider: &CryptoProvider) -> Option<()> {
        let scheme = SignatureScheme::from(self.signature.keyid.parse::<u16>().ok()?);
        let signature = BASE64.decode(&self.signature.sig).ok()?;
        let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
        let key = &certificate.public_key().subject_public_key.data;
        let mapping = provider.signature_verification_algorithms.mapping;
        let (_, algorithms) = mapping.iter().find(|(known, _)| *known == scheme)?;
        let holds = |algorithm: &&dyn rustls::pki_types::SignatureVerificationAlgorithm| {
            algorithm.verify_signature(key, self.message, &signature).is_ok()
        };
        algorithms.iter().any(holds).then_some(())
    }
}

fn name(hub: &str) -> Result<ServerName<'static>, NotEndorsed> {
    let url = reqwest::Url::parse(hub).map_err(|_| NotEndorsed::NoName)?;
    let host = url.host_str().ok_or(NotEndorsed::NoName)?.trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(host).map_err(|_| NotEndorsed::NoName)
}
