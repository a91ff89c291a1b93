//! Somebody who says to be the hub and is not: a TLS server with an authority of its own making.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A TLS server that notes what it is told. Dropped, it is gone.
pub(crate) struct Impostor {
    url: String,
    asked: Arc<AtomicU32>,
    heard: Arc<Mutex<Vec<u8>>>,
    listening: JoinHandle<()>,
}

impl Impostor {
    /// Begins at this address. Its authority has the name of the hub's, and it shows the true one
    /// too, if it has got hold of that.
    pub(crate) async fn at(address: &str, true_authority: Option<&str>) -> Impostor {
        let listener = TcpListener::bind(address).await.expect("the address is free");
        let url = format!("https://{}", listener.local_addr().expect("a bound socket has an address"));
        let acceptor = TlsAcceptor::from(Arc::new(config(true_authority)));
        let (asked, heard) = (Arc::new(AtomicU32::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (asks, hears) = (Arc::clone(&asked), Arc::clone(&heard));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                asks.fetch_add(1, Ordering::SeqCst);
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut bytes = Vec::new();
                let _broken_off = stream.read_to_end(&mut bytes).await;
                hears.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
            }
        });
        Impostor { url, asked, heard, listening }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How many have connected.
    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// What it was told by those who believed it.
    pub(crate) fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Leaves, and frees its address.
    pub(crate) async fn leave(mut self) {
        self.listening.abort();
        let _aborted = (&mut self.listening).await;
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn config(true_authority: Option<&str>) -> ServerConfig {
    let (authority_key, mut authority) = (KeyPair::generate().expect("a key"), CertificateParams::default());
    authority.distinguished_name.push(DnType::CommonName, "Sortie hub authority");
    authority.distinguished_name.push(DnType::OrganizationName, "Sortie");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own_authority = authority.self_signed(&authority_key).expect("it can sign").pem();
    let (key, names) = (KeyPair::generate().expect("a key"), vec!["127.0.0.1".to_owned()]);
    let leaf = CertificateParams::new(names).expect("an address is a name");
    let leaf = leaf.signed_by(&key, &Issuer::new(authority, authority_key)).expect("it can sign");
    let chain = leaf.pem() + true_authority.unwrap_or(&own_authority);
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).map(|one| one.expect("it is PEM")).collect();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("it is a key");
    ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).expect("they fit")
}
