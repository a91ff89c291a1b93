//! The test hub's certificates.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SigningKey as _, date_time_ymd,
};
use sortie_wire::envelope::Signature;
use tokio_rustls::rustls::SignatureScheme;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
    /// The key of a certificate for localhost, and that with what vouches for it (PEM).
    endorser: (KeyPair, String),
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2090, 1, 1);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let own = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let chain = localhost().signed_by(&own, &issuer).unwrap().pem() + &certificate.pem();
        Authority { issuer, certificate, endorser: (own, chain) }
    }

    /// The chain of the certificate by whose key enrolments are signed.
    pub(crate) fn chain(&self) -> String {
        self.endorser.1.clone()
    }

    /// Signs with that key.
    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        let sig = STANDARD.encode(self.endorser.0.sign(message).unwrap());
        Signature { keyid: u16::from(SignatureScheme::ECDSA_NISTP256_SHA256).to_string(), sig }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub(crate) fn fingerprint(&self) -> String {
        sortie_client::tls::fingerprint(&self.der())
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// A certificate for localhost, valid in 2026.
    pub(crate) fn server(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate = localhost().signed_by(&key, &self.issuer).unwrap();
        (vec![certificate.der().clone(), self.der()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
    }

    /// The certificate that a request asks for, in PEM.
    pub(crate) fn grant(&self, request: &str, name: &str) -> String {
        let mut request = CertificateSigningRequestParams::from_pem(request).unwrap();
        request.params.distinguished_name.push(DnType::CommonName, name);
        request.params.not_before = date_time_ymd(2026, 1, 1);
        request.params.not_after = date_time_ymd(2027, 1, 1);
        request.signed_by(&self.issuer).unwrap().pem()
    }
}

fn localhost() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}
