//! Who is at the other end of a connection, told from the certificate it proved itself with.

use std::net::IpAddr;

use rustls_pki_types::CertificateDer;
use sortie_rules::ids::NodeId;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::authority::NODES;
use super::keys::fingerprint;

/// The other end of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Where it connects from.
    pub(crate) address: IpAddr,
    /// The node that it proved to be, if it proved one.
    pub(crate) node: Option<PeerNode>,
}

/// A node as its certificate tells. Whether the hub still knows it is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PeerNode {
    /// Which node.
    pub(crate) node: NodeId,
    /// The SHA-256 of its public key, in hex.
    pub(crate) key_fingerprint: String,
}

impl PeerNode {
    /// Reads a certificate that TLS has already verified. `None` if it has not the profile of nodes.
    pub(crate) fn read(certificate: &CertificateDer<'_>) -> Option<PeerNode> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let subject = parsed.subject();
        let unit = subject.iter_organizational_unit().next()?.as_str().ok()?;
        let name = subject.iter_common_name().next()?.as_str().ok()?;
        if unit != NODES {
            return None;
        }
        let key = &parsed.public_key().subject_public_key.data;
        Some(PeerNode { node: name.parse().ok()?, key_fingerprint: fingerprint(key) })
    }
}
