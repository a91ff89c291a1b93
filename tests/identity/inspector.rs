//! A proxy that inspects TLS, in the story's hand: it shows a certificate of an authority of its own, reads all
//! that is said, and can answer in the hub's place.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// An authority such as a site's proxy has.
pub(crate) struct SiteAuthority {
    /// Its certificate (PEM).
    pub(crate) pem: String,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A request that went through, and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// The request line.
    pub(crate) line: String,
    /// `Authorization`, if there was one.
    pub(crate) authorization: String,
    /// What was answered.
    pub(crate) answer: Passed,
}

/// An answer on its way back.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What an inspector does with the answer to a request: given all that went through before.
pub(crate) type Meddle = Arc<dyn Fn(&[Exchange], &str, Passed) -> Passed + Send + Sync>;

/// The proxy.
pub(crate) struct Inspector {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Exchange>>>,
    meddle: Arc<Mutex<Option<Meddle>>>,
    /// A header of requests that it does not pass on.
    taken: Arc<Mutex<Option<String>>>,
}

impl SiteAuthority {
    /// A fresh one.
    pub(crate) fn new() -> SiteAuthority {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Site Inspection Authority");
        let certificate = params.self_signed(&key).expect("an authority can sign itself");
        SiteAuthority { pem: certificate.pem(), der: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    /// A certificate for 127.0.0.1 and what vouches for it, and its key (both PEM).
    pub(crate) fn certificate(&self) -> (String, String) {
        let (leaf, key) = self.leaf();
        (leaf.pem() + &self.pem, key.serialize_pem())
    }

    /// Its certificate as a file of this folder.
    pub(crate) fn file(&self, folder: &Path) -> std::path::PathBuf {
        let file = folder.join("site-authority.pem");
        std::fs::write(&file, &self.pem).expect("the story's folder can be written");
        file
    }

    fn leaf(&self) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address is a name");
        (params.signed_by(&key, &self.issuer).expect("an authority can sign"), key)
    }
}

impl Inspector {
    /// Begins to stand before `hub`, a URL.
    pub(crate) async fn before(hub: &str, authority: &SiteAuthority) -> Inspector {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (leaf, key) = authority.leaf();
        let chain = vec![leaf.der().clone(), authority.der.clone()];
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()));
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("they fit")));
        let (seen, meddle, taken) = (Arc::default(), Arc::default(), Arc::default());
        let desk = Desk {
            seen: Arc::clone(&seen),
            meddle: Arc::clone(&meddle),
            taken: Arc::clone(&taken),
            hub: hub.to_owned(),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, desk) = (acceptor.clone(), desk.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let mut stream = BufReader::new(stream);
                    while pass(&mut stream, &desk).await.is_some() {}
                });
            }
        });
        Inspector { address, seen, meddle, taken }
    }

    /// Its address as the hub's.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// From now on it does this with answers.
    pub(crate) fn meddle(&self, how: impl Fn(&[Exchange], &str, Passed) -> Passed + Send + Sync + 'static) {
        *self.meddle.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(how));
    }

    /// From now on it takes this header out of requests.
    pub(crate) fn take_away(&self, header: &str) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(header.to_owned());
    }

    /// From now on it passes everything on as it is.
    pub(crate) fn behave(&self) {
        *self.meddle.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// All that went through.
    pub(crate) fn seen(&self) -> Vec<Exchange> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What its connections share.
#[derive(Clone)]
struct Desk {
    seen: Arc<Mutex<Vec<Exchange>>>,
    meddle: Arc<Mutex<Option<Meddle>>>,
    taken: Arc<Mutex<Option<String>>>,
    hub: String,
}

/// Passes one request on and its answer back. Nothing if the connection is over.
async fn pass(near: &mut BufReader<TlsStream<TcpStream>>, desk: &Desk) -> Option<()> {
    let Desk { seen, meddle, taken, hub } = desk;
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let head = read_head(near).await?;
    let mut lines = head.lines();
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    near.read_exact(&mut body).await.ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.parse::<http::Method>().ok()?, words.next()?);
    // What the hub shows is not its business.
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).no_proxy().build().ok()?;
    let mut request = client.request(method, format!("{hub}{target}")).body(body);
    for (name, value) in &headers {
        let is_its_own = matches!(name.as_str(), "host" | "content-length" | "connection");
        if !is_its_own && taken.as_ref() != Some(name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    let kept =
        answer.headers().iter().filter(|(name, _)| !matches!(name.as_str(), "content-length" | "transfer-encoding"));
    let kept = kept.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect();
    let passed = Passed { status, headers: kept, body: answer.bytes().await.ok()?.to_vec() };
    let how = meddle.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let passed = match how {
        Some(how) => how(&seen.lock().unwrap_or_else(PoisonError::into_inner), &line, passed),
        None => passed,
    };
    let authorization = header("authorization").unwrap_or_default();
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(Exchange { line, authorization, answer: passed.clone() });
    let mut text = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", passed.status, passed.body.len());
    for (name, value) in &passed.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    near.write_all(text.as_bytes()).await.ok()?;
    near.write_all(b"\r\n").await.ok()?;
    near.write_all(&passed.body).await.ok()?;
    near.flush().await.ok()
}

async fn read_head(near: &mut BufReader<TlsStream<TcpStream>>) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(near.read_u8().await.ok()?);
    }
    String::from_utf8(bytes).ok()
}
