//! Whether a certificate that the hub gave can be shown. One that cannot would shut a node out for good, so it is
//! looked at before it takes the place of another.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use sortie_rules::time::Millis;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::fault::in_words;
use super::{Identity, Presented, Trust};
use crate::crypto;

impl Identity {
    /// Whether the certificate can be read and is the key's.
    pub fn check_key(&self) -> Result<(), String> {
        self.certified().map(drop)
    }

    /// Whether the certificate names this node and can be shown from now until then: it is the key's, and one of
    /// these authorities (PEM) has issued it.
    pub fn check_issued(&self, node: &str, authorities: &str, until: Millis, now: Millis) -> Result<(), String> {
        let certified = self.certified()?;
        let (leaf, others) = certified.cert.split_first().ok_or("there is no certificate")?;
        let names = name_of(leaf).ok_or("it names nobody")?;
        if names != node {
            return Err(format!("it is for `{names}` and not for this node ({node})"));
        }
        let ends = Presented::read(leaf).map(|presented| presented.not_after);
        if ends.is_none_or(|ends| ends.0 / 1000 < until.0 / 1000) {
            return Err("it ends before the time that was said".to_owned());
        }
        let roots = Trust::Pem(authorities.to_owned()).roots(None, false).map_err(|error| error.to_string())?;
        issued_by(roots, leaf, others, now)
    }

    fn certified(&self) -> Result<CertifiedKey, String> {
        let (chain, key) = self.parse().map_err(|error| error.to_string())?;
        let key = crypto::provider().key_provider.load_private_key(key).map_err(|error| error.to_string())?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(|error| in_words(&error))?;
        Ok(certified)
    }
}

fn name_of(leaf: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    Some(name.to_owned())
}

fn issued_by(
    roots: RootCertStore,
    leaf: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    now: Millis,
) -> Result<(), String> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto::provider())
        .build()
        .map_err(|error| error.to_string())?;
    let now = UnixTime::since_unix_epoch(now.since(Millis(0)).to_std());
    verifier.verify_client_cert(leaf, others, now).map(drop).map_err(|error| in_words(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

    const NODE: &str = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";

    struct Authority {
        pem: String,
        issuer: Issuer<'static, KeyPair>,
    }

    fn authority() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate of this authority for a name and a key, and until when it holds.
    fn issued(by: &Authority, name: &str, key: &KeyPair) -> (String, Millis) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = rcgen::date_time_ymd(2025, 1, 1);
        params.not_after = rcgen::date_time_ymd(2035, 1, 1);
        let certificate = params.signed_by(key, &by.issuer).unwrap();
        let until = Presented::read(certificate.der()).unwrap().not_after;
        (certificate.pem() + &by.pem, until)
    }

    #[test]
    fn a_certificate_is_taken_only_for_this_key_and_node_and_from_an_authority_that_is_believed() {
        let now = Millis(1_790_000_000_000);
        let (known, stranger) = (authority(), authority());
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let identity = |chain: &str| Identity { chain_pem: chain.to_owned(), key_pem: key.serialize_pem() };
        let check = |chain: &str, until, now| identity(chain).check_issued(NODE, &known.pem, until, now);
        let (good, until) = issued(&known, NODE, &key);
        assert_eq!(check(&good, until, now), Ok(()));
        assert_eq!(identity(&good).check_key(), Ok(()));
        for (what, chain) in [
            ("another key", issued(&known, NODE, &other).0),
            ("another node", issued(&known, "another", &key).0),
            ("a stranger", issued(&stranger, NODE, &key).0),
            ("nothing", String::new()),
            ("a page", "<html>".to_owned()),
        ] {
            assert!(check(&chain, until, now).is_err(), "{what}");
        }
        assert!(check(&good, Millis(until.0 + 60_000), now).is_err(), "an earlier end");
        assert!(check(&good, until, Millis(until.0 + 1000)).is_err(), "it has ended");
        assert!(identity(&issued(&known, NODE, &other).0).check_key().is_err());
    }
}
