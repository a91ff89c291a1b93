//! A TLS server that gives prepared answers and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use sortie_client::agent::HubLine;
use sortie_client::people::{Hub, Token};
use sortie_client::retry::Patience;
use sortie_client::{Clock, Connect, Entropy, Proxy, Trust};
use sortie_rules::time::{Millis, Span};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::certificates::{Authority, Shown};

/// In the middle of 2026, when the certificates of the tests are valid.
pub(crate) const NOW: Millis = Millis(1_780_000_000_000);

/// A server. It ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Gives these answers, one after the other and the last one for ever. An answer is the whole of
    /// an HTTP/1.1 response; an empty one closes the connection.
    pub(crate) async fn start(shown: Shown, answers: &[String]) -> Server {
        Server::with_clients(shown, None, answers).await
    }

    /// The same; clients may show certificates of this authority.
    pub(crate) async fn with_clients(shown: Shown, clients: Option<&Authority>, answers: &[String]) -> Server {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.server("x").chain[1].clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        let config = builder.with_single_cert(shown.chain, shown.key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let answers = Arc::new(Mutex::new(answers.iter().cloned().collect::<VecDeque<_>>()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, answers, log) = (acceptor.clone(), Arc::clone(&answers), Arc::clone(&log));
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(tcp).await {
                        serve(stream, &answers, &log).await;
                    }
                });
            }
        });
        Server { port, asked }
    }

    /// Every request so far, head and body.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// How it is reached under `name`.
    pub(crate) fn connect(&self, name: &str, trust: Trust) -> Connect {
        let hub = format!("https://{name}:{}", self.port);
        Connect { proxy: Proxy::Direct, ..Connect::new(hub, trust, Clock::new(|| NOW)) }
    }

    pub(crate) fn line(&self, trust: Trust) -> HubLine {
        HubLine::open(&self.connect("localhost", trust)).unwrap()
    }

    pub(crate) fn hub(&self, trust: Trust, patience: Span) -> Hub {
        let patience = Patience { total: patience, entropy: Entropy::new(|bytes| bytes.fill(1)) };
        Hub::open(&self.connect("localhost", trust), Token("s3cret".into()), patience).unwrap()
    }
}

async fn serve(mut stream: TlsStream<TcpStream>, answers: &Mutex<VecDeque<String>>, log: &Mutex<Vec<String>>) {
    while let Some(request) = read_request(&mut stream).await {
        log.lock().unwrap().push(request);
        let answer = {
            let mut answers = answers.lock().unwrap();
            if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
        };
        let answer = answer.unwrap_or_default();
        if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut TlsStream<TcpStream>) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

/// An answer with these headers (each line ends in `\r\n`) and this body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

/// An answer of JSON.
pub(crate) fn json(body: &str) -> String {
    answer("200 OK", "content-type: application/json\r\n", body)
}

/// A key set, which is what the tests ask for most.
pub(crate) fn keys() -> String {
    json(r#"{"newest":3,"links":[]}"#)
}
