//! A hub that lies: it stands at the true hub's address with a certificate of its own, and offers the key sets
//! that the story gives it.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use sortie_wire::keys::KeyChain;
use stories::until;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A hub that lies, until it is dropped.
#[derive(Debug)]
pub(crate) struct Impostor(JoinHandle<()>);

impl Impostor {
    /// Takes the place at this address, and offers this.
    pub(crate) async fn at(address: &str, chain: KeyChain) -> Impostor {
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        let certificate = certificate.self_signed(&key).expect("it can sign");
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).expect("they fit");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = until("the true hub has left", async || TcpListener::bind(address).await.ok()).await;
        let body = serde_json::to_string(&chain).expect("JSON");
        Impostor(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, body) = (acceptor.clone(), body.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut asked = vec![0; 16 << 10];
                    let Ok(length) = stream.read(&mut asked).await else { return };
                    let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
                    let status = if asked.starts_with("GET /agent/v1/keys") { "200 OK" } else { "404 Not Found" };
                    let head = format!(
                        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: \
                         close\r\n\r\n",
                        body.len()
                    );
                    let _gone = stream.write_all((head + &body).as_bytes()).await;
                    let _gone = stream.shutdown().await;
                });
            }
        }))
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.0.abort();
    }
}
