//! An authority of the story's own, for servers that are not the hub's.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// An authority that nobody believes who was not given its certificate.
#[derive(Debug)]
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes one.
    ///
    /// # Panics
    /// If no key can be made.
    pub fn make() -> Authority {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, uuid::Uuid::new_v4().to_string());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        let pem = params.self_signed(&key).expect("it signs itself").pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// Its certificate (PEM).
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a server of this name or address, and its key (PEM).
    ///
    /// # Panics
    /// If it is neither a name nor an address.
    pub fn vouch_for(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key can be made");
        let leaf = CertificateParams::new(vec![name.to_owned()]).expect("it is a name or an address");
        let leaf = leaf.signed_by(&key, &self.issuer).expect("the authority signs").pem();
        (leaf, key.serialize_pem())
    }
}
