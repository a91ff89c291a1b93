//! A certificate authority of the hub's: it vouches for nodes and, unless the operator gives a certificate,
//! for the hub itself.
//!
//! Keys are ECDSA P-256, since browsers accept no Ed25519 certificates; nodes bring Ed25519 keys of
//! their own, which never leave them. Certificates carry their profile as the organisational unit:
//! `OU=nodes` for agents, `OU=hubs` for the hub.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
    PublicKeyData as _, SanType, SerialNumber,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sortie_rules::ids::NodeId;
use sortie_rules::limits::{AUTHORITY_LIFE, BACKDATE, NODE_CERTIFICATE_LIFE, SERVER_CERTIFICATE_LIFE};
use sortie_rules::time::{Millis, Span};
use sortie_wire::enrollment::Certificate;
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::keys::fingerprint;
use super::safe::Contents;
use crate::clock::Entropy;
use crate::data_folder::DataFolderError;

/// The profile of agents' certificates.
pub(crate) const NODES: &str = "nodes";
/// The profile of hubs' certificates.
pub(crate) const HUBS: &str = "hubs";

/// Why the authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Its files cannot be read or written.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// Its files are damaged.
    #[error("the hub's keys are damaged: {0}; restore the folder keys/ from a backup")]
    Damaged(String),
    /// They are in the database, which cannot be used.
    #[error(transparent)]
    Store(#[from] sortie_store::StoreError),
    /// They are in the database, sealed with another master key than the one that is named.
    #[error("{why}")]
    Sealed {
        /// The newest change of them.
        change: u64,
        /// Why they are not opened, and what to do.
        why: String,
    },
    /// There is no master key.
    #[error(transparent)]
    MasterKey(#[from] super::safe::MasterKeyError),
    /// Another hub on the same database was quicker.
    #[error("another hub on this database has changed the keys meanwhile")]
    Changed,
    /// Another authority cannot be believed beside those that are.
    #[error("the hub cannot believe one more authority: {0}")]
    Refused(sortie_rules::rotation::RingRefusal),
}

/// Makes certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    name: DistinguishedName,
    pem: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.fingerprint())
    }
}

/// A key that was offered for a certificate and cannot have one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadRequest {
    /// It cannot be read, or its own signature does not hold.
    #[error("the certificate request cannot be read or is not signed by its own key")]
    Unreadable,
    /// It is for another kind of key.
    #[error("a node's key must be Ed25519")]
    NotEd25519,
}

/// A certificate request that has proved possession of its key.
#[derive(Debug)]
pub(crate) struct NodeKey(CertificateSigningRequestParams);

impl NodeKey {
    /// Reads a certificate request. Whatever names it asks for are ignored: the hub decides on names.
    pub(crate) fn from_request(pem: &str) -> Result<NodeKey, BadRequest> {
        let request = CertificateSigningRequestParams::from_pem(pem).map_err(|_| BadRequest::Unreadable)?;
        if request.public_key.algorithm() != &PKCS_ED25519 {
            return Err(BadRequest::NotEd25519);
        }
        Ok(NodeKey(request))
    }

    /// The SHA-256 of the raw public key, in hex.
    pub(crate) fn fingerprint(&self) -> String {
        fingerprint(self.0.public_key.der_bytes())
    }
}

impl Authority {
    /// Reads one from what lies in the safe under names that begin so.
    pub(super) fn read(contents: &Contents, stem: &str) -> Result<Authority, AuthorityError> {
        let damaged = |error: String| AuthorityError::Damaged(format!("keys/{stem}: {error}"));
        let there = |name: String| {
            let text = contents.get(&name).ok_or_else(|| AuthorityError::Damaged(format!("{name} is missing")))?;
            Ok::<_, AuthorityError>(String::from_utf8_lossy(text).into_owned())
        };
        let (key, pem) = (there(key_file(stem))?, there(format!("keys/{stem}.pem"))?);
        let key = KeyPair::from_pem(&key).map_err(|error| damaged(error.to_string()))?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| damaged(error.to_string()))?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(|error| damaged(error.to_string()))?;
        let name = name_of(&certificate).map_err(damaged)?;
        Ok(Authority { issuer, certificate, name, pem })
    }

    /// Makes one: what is to lie in the safe, the key last.
    pub(super) fn make(
        stem: &str,
        name: &str,
        entropy: &Entropy,
        now: Millis,
    ) -> Result<Vec<(String, Vec<u8>)>, AuthorityError> {
        let damaged = |error: rcgen::Error| AuthorityError::Damaged(error.to_string());
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(damaged)?;
        let mut params = blank(entropy, now - BACKDATE, now + AUTHORITY_LIFE);
        params.distinguished_name = named(&[(DnType::CommonName, name), (DnType::OrganizationName, "Sortie")]);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(damaged)?;
        Ok(vec![
            (format!("keys/{stem}.pem"), certificate.pem().into_bytes()),
            (key_file(stem), key.serialize_pem().into_bytes()),
        ])
    }

    /// What this authority says of another's key: whoever believes this one believes what the other vouches
    /// for.
    pub(super) fn vouch_for_authority(
        &self,
        other: &Authority,
        entropy: &Entropy,
        now: Millis,
    ) -> CertificateDer<'static> {
        // Not longer than the server's certificate that it is shown with.
        let mut params = blank(entropy, now - BACKDATE, now + SERVER_CERTIFICATE_LIFE);
        params.distinguished_name = other.name.clone();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let certificate = params.signed_by(other.issuer.key(), &self.issuer).expect("the authority can sign");
        certificate.der().clone()
    }

    /// The authority's certificate (PEM).
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// The authority's certificate.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The SHA-256 of the certificate, in hex.
    pub(crate) fn fingerprint(&self) -> String {
        fingerprint(&self.certificate)
    }

    /// A certificate for a node's key.
    pub(crate) fn vouch_for_node(&self, key: &NodeKey, node: NodeId, entropy: &Entropy, now: Millis) -> Certificate {
        let (not_before, not_after) = (whole_second(now - BACKDATE), whole_second(now + NODE_CERTIFICATE_LIFE));
        let mut params = blank(entropy, not_before, not_after);
        params.distinguished_name =
            named(&[(DnType::CommonName, &node.to_string()), (DnType::OrganizationalUnitName, NODES)]);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let request = CertificateSigningRequestParams { params, public_key: key.0.public_key.clone() };
        let certificate = request.signed_by(&self.issuer).expect("the authority can sign");
        Certificate { chain: certificate.pem() + &self.pem, not_before, not_after }
    }

    /// A certificate for the hub itself, its chain and its key.
    pub(crate) fn vouch_for_hub(
        &self,
        names: &[String],
        entropy: &Entropy,
        now: Millis,
    ) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key can be made");
        let mut params = blank(entropy, now - BACKDATE, now + SERVER_CERTIFICATE_LIFE);
        params.distinguished_name =
            named(&[(DnType::CommonName, "Sortie hub"), (DnType::OrganizationalUnitName, HUBS)]);
        params.subject_alt_names = names.iter().filter_map(|name| alternative_name(name)).collect();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).expect("the authority can sign");
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        (chain, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
    }
}

/// Whose certificate it is.
fn name_of(certificate: &CertificateDer<'_>) -> Result<DistinguishedName, String> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    let text = |value: Option<&x509_parser::x509::AttributeTypeAndValue<'_>>| {
        value.and_then(|value| value.as_str().ok()).unwrap_or_default().to_owned()
    };
    let subject = parsed.subject();
    let (common, organization) = (text(subject.iter_common_name().next()), text(subject.iter_organization().next()));
    Ok(named(&[(DnType::CommonName, &common), (DnType::OrganizationName, &organization)]))
}

fn blank(entropy: &Entropy, not_before: Millis, not_after: Millis) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date(not_before);
    params.not_after = date(not_after);
    let mut serial = entropy.bytes::<16>();
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.use_authority_key_identifier_extension = true;
    params
}

/// Where an authority's key lies. It is put there last: without it, the certificate beside it was never used.
pub(super) fn key_file(stem: &str) -> String {
    format!("keys/{stem}.key")
}

fn named(parts: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, text) in parts {
        name.push(kind.clone(), *text);
    }
    name
}

fn alternative_name(name: &str) -> Option<SanType> {
    match name.parse() {
        Ok(address) => Some(SanType::IpAddress(address)),
        Err(_) => name.try_into().ok().map(SanType::DnsName),
    }
}

/// Certificates know no fractions of a second.
fn whole_second(at: Millis) -> Millis {
    at - Span(at.0.rem_euclid(1000))
}

fn date(at: Millis) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> Authority {
        let made = Authority::make("authority", "Hub", &Entropy::default(), Millis(1_800_000_000_000)).unwrap();
        Authority::read(&Contents::default().with(&made), "authority").unwrap()
    }

    #[test]
    fn a_node_gets_a_certificate_for_its_own_key_and_the_hub_s_choice_of_name() {
        let authority = authority();
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let wishes = CertificateParams::new(vec!["root.example".to_owned()]).unwrap();
        let request = NodeKey::from_request(&wishes.serialize_request(&key).unwrap().pem().unwrap()).unwrap();
        let node: NodeId = Entropy::default().id(Millis(5));
        let now = Millis(1_800_000_000_000);
        let given = authority.vouch_for_node(&request, node, &Entropy::default(), now);
        assert_eq!(given.not_after.since(given.not_before), NODE_CERTIFICATE_LIFE + BACKDATE);
        let der = CertificateDer::from_pem_slice(given.chain.as_bytes()).unwrap();
        let peer = super::super::PeerNode::read(&der).unwrap();
        assert_eq!((peer.node, peer.key_fingerprint), (node, request.fingerprint()));
    }

    #[test]
    fn other_kinds_of_keys_get_no_certificate() {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let request = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
        assert_eq!(NodeKey::from_request(&request).unwrap_err(), BadRequest::NotEd25519);
        assert_eq!(NodeKey::from_request("nonsense").unwrap_err(), BadRequest::Unreadable);
    }
}
