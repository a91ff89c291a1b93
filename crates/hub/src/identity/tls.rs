//! The TLS that the hub speaks: its certificate, and the certificates it accepts from agents.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use base64::Engine as _;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{CertificateError, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use sortie_rules::limits::SERVER_CERTIFICATE_LIFE;
use sortie_rules::time::{Millis, Span};
use sortie_wire::envelope::Signature;

use super::keys::fingerprint;
use super::ring::Held;
use crate::clock::Entropy;
use crate::settings::Settings;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of the operator's cannot be used.
    #[error("cannot use {}: {why}", .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Certificate and key do not fit, or the library refuses them.
    #[error("the hub's certificate cannot be used: {0}")]
    Refused(#[from] rustls::Error),
}

/// The certificate that the operator gave the hub.
pub(crate) struct Given {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Given({}, key withheld)", self.anchor().0)
    }
}

impl PartialEq for Given {
    fn eq(&self, other: &Given) -> bool {
        self.chain == other.chain && self.key.secret_der() == other.key.secret_der()
    }
}

impl Given {
    /// Reads it from the files that the settings name, if they do.
    pub(crate) fn read(settings: &Settings, now: Millis) -> Result<Option<Given>, TlsError> {
        let files = settings.certificate_file.as_deref().zip(settings.key_file.as_deref());
        let Some((certificate, key)) = files else { return Ok(None) };
        let chain = read_chain(certificate)?;
        check_vouched_for(certificate, &chain, now)?;
        let key = read_key(key)?;
        // Files that were replaced one after the other do not fit for a moment.
        CertifiedKey::from_der(chain.clone(), key.clone_key(), &rustls::crypto::aws_lc_rs::default_provider())?;
        Ok(Some(Given { chain, key }))
    }

    /// What vouches for it, and what agents therefore believe: the fingerprint and the certificate (PEM).
    pub(crate) fn anchor(&self) -> (String, String) {
        let last = self.chain.last().expect("a chain holds a certificate");
        (fingerprint(last), pem(last))
    }
}

/// The hub's TLS, which can be made anew while connections go on.
#[derive(Debug)]
pub(crate) struct ServerTls {
    config: ArcSwap<ServerConfig>,
    endorser: ArcSwap<Endorser>,
    /// The operator's certificate, if there is one.
    given: ArcSwapOption<Given>,
    /// The names in the hub's own certificate.
    names: Vec<String>,
    /// The SHA-256 of the certificate that the chain ends in: what invites carry.
    fingerprint: ArcSwap<String>,
}

impl ServerTls {
    /// Sets up TLS with the operator's certificate, or one that the ring's authority makes for `names`.
    pub(crate) fn new(
        held: &Held,
        given: Option<Given>,
        names: Vec<String>,
        entropy: &Entropy,
        now: Millis,
    ) -> Result<ServerTls, TlsError> {
        let Serving { config, endorser, fingerprint } = serving(held, given.as_ref(), &names, entropy, now)?;
        Ok(ServerTls {
            config: ArcSwap::from_pointee(config),
            endorser: ArcSwap::from_pointee(endorser),
            given: ArcSwapOption::from_pointee(given),
            names,
            fingerprint: ArcSwap::from_pointee(fingerprint),
        })
    }

    /// The configuration for the next connection.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }

    /// What signs with the key of the hub's certificate.
    pub(crate) fn endorser(&self) -> Arc<Endorser> {
        self.endorser.load_full()
    }

    /// What invites carry.
    pub(crate) fn fingerprint(&self) -> Arc<String> {
        self.fingerprint.load_full()
    }

    /// The operator's certificate, if there is one.
    pub(crate) fn given(&self) -> Option<Arc<Given>> {
        self.given.load_full()
    }

    /// How often the hub's own certificate is made anew.
    pub(crate) const RENEW_EVERY: Span = Span(SERVER_CERTIFICATE_LIFE.0 / 2);

    /// Makes the configuration anew: with the ring as it is now, and, if the hub has a certificate of its
    /// own, with a fresh one. Connections that are open go on.
    pub(crate) fn apply(&self, held: &Held, entropy: &Entropy, now: Millis) -> Result<(), TlsError> {
        let given = self.given();
        let Serving { config, endorser, fingerprint } = serving(held, given.as_deref(), &self.names, entropy, now)?;
        self.endorser.store(Arc::new(endorser));
        self.config.store(Arc::new(config));
        self.fingerprint.store(Arc::new(fingerprint));
        Ok(())
    }

    /// Serves with another certificate of the operator's from the next `apply` on.
    pub(crate) fn take_given(&self, given: Given) {
        self.given.store(Some(Arc::new(given)));
    }
}

/// With what the hub serves.
struct Serving {
    config: ServerConfig,
    endorser: Endorser,
    /// Of what its chain ends in.
    fingerprint: String,
}

fn serving(
    held: &Held,
    given: Option<&Given>,
    names: &[String],
    entropy: &Entropy,
    now: Millis,
) -> Result<Serving, TlsError> {
    let (chain, key, fingerprint) = match given {
        Some(given) => (given.chain.clone(), given.key.clone_key(), given.anchor().0),
        None => {
            let serving = held.serving();
            let (mut chain, key) = serving.vouch_for_hub(names, entropy, now);
            // Who believes one of the other authorities only, such as the holder of an older invite, finds the
            // way from it to the one that serves.
            for other in held.authorities().filter(|other| other.fingerprint() != serving.fingerprint()) {
                chain.push(other.vouch_for_authority(serving, entropy, now));
                chain.push(other.certificate().clone());
            }
            (chain, key, serving.fingerprint())
        }
    };
    let endorser = Endorser::new(&chain, &key)?;
    Ok(Serving { config: server_config(chain, key, held)?, endorser, fingerprint })
}

/// The key of the hub's certificate, for what must be proven by it beside TLS: an enrolment whose connection
/// ends at a proxy.
pub(crate) struct Endorser {
    key: Arc<dyn SigningKey>,
    chain: String,
}

impl std::fmt::Debug for Endorser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Endorser(key withheld)")
    }
}

impl Endorser {
    fn new(chain: &[CertificateDer<'static>], key: &PrivateKeyDer<'static>) -> Result<Endorser, TlsError> {
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(key)?;
        Ok(Endorser { key, chain: chain.iter().map(pem).collect() })
    }

    /// The certificate and what vouches for it (PEM).
    pub(crate) fn chain(&self) -> &str {
        &self.chain
    }

    /// Signs; the `keyid` is the number that TLS gives the kind of the signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Signature, TlsError> {
        let none = || rustls::Error::General("the hub's certificate has a key that cannot sign".to_owned());
        let signer = self.key.choose_scheme(ENDORSING).ok_or_else(none)?;
        let sig = base64::engine::general_purpose::STANDARD.encode(signer.sign(message)?);
        Ok(Signature { keyid: u16::from(signer.scheme()).to_string(), sig })
    }
}

/// What agents can check, the strongest first.
const ENDORSING: &[SignatureScheme] = &[
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
];

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    held: &Held,
) -> Result<ServerConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in held.authorities() {
        roots.add(authority.certificate().clone())?;
    }
    // People come with tokens and without a certificate; each route says which proof it takes.
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
        .allow_unauthenticated()
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let mut config = ServerConfig::builder().with_client_cert_verifier(verifier).with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Resumption by ticket: no memory per session, and one ticket is enough for one agent.
    config.send_tls13_tickets = 1;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    if let Ok(ticketer) = rustls::crypto::aws_lc_rs::Ticketer::new() {
        config.ticketer = ticketer;
    }
    Ok(config)
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fail = |why: String| TlsError::File { path: path.to_owned(), why };
    let text = fs::read(path).map_err(|error| fail(error.to_string()))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(fail("it holds no certificate (PEM)".to_owned())),
        Err(error) => Err(fail(error.to_string())),
    }
}

/// Agents trust the last certificate of the chain and nothing else: where it does not vouch for the
/// first, they would enrol and never come back. Dates are not judged here; they pass.
fn check_vouched_for(path: &Path, chain: &[CertificateDer<'static>], now: Millis) -> Result<(), TlsError> {
    let fail = |why: String| TlsError::File {
        path: path.to_owned(),
        why: format!(
            "its last certificate does not vouch for its first ({why}); agents trust the last one, so let the file \
             hold the whole chain up to and including the issuer that they shall trust"
        ),
    };
    let (Some((first, others)), Some(last)) = (chain.split_first(), chain.last()) else { return Ok(()) };
    let mut roots = RootCertStore::empty();
    roots.add(last.clone()).map_err(|error| fail(error.to_string()))?;
    let first = ParsedCertificate::try_from(first).map_err(|error| fail(error.to_string()))?;
    let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.all;
    let now = UnixTime::since_unix_epoch(now.since(Millis(0)).to_std());
    match verify_server_cert_signed_by_trust_anchor(&first, &roots, others, now, algorithms) {
        Err(rustls::Error::InvalidCertificate(error)) if !is_about_dates(&error) => Err(fail(error.to_string())),
        _ => Ok(()),
    }
}

fn is_about_dates(error: &CertificateError) -> bool {
    use CertificateError as C;
    matches!(error, C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. })
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| TlsError::File {
        path: path.to_owned(),
        why: format!("it holds no private key (PEM): {error}"),
    })
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let body = base64::engine::general_purpose::STANDARD.encode(certificate);
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or("")).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
