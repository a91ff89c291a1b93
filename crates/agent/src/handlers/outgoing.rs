//! HTTP to an address that a policy or a payload names: the name is resolved, the address is judged,
//! and the connection goes to that very address. Redirects are an answer and are not followed.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HeaderMap;
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use sortie_client::tls::client_config;
use sortie_client::{Connect, Trust};
use sortie_rules::addresses::Allowed;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use crate::clock::Clock;

/// What calls over TLS need. The operating system's certificates are read at the first of them.
#[derive(Clone)]
pub(crate) struct Outgoing {
    ca_pem: Option<String>,
    clock: Clock,
    tls: Arc<OnceLock<Result<TlsConnector, String>>>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outgoing")
    }
}

/// Where a call goes.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    over_tls: bool,
    /// Without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As it stands in the `Host` header.
    authority: String,
    path: String,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Why nothing was.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The address may not be connected to.
    Forbidden,
    /// There was no connection, so nothing was asked.
    NoConnection(String),
    /// The answer did not come, or not whole.
    Broken(String),
    /// The answer is larger than may be.
    TooLarge,
}

/// What is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Question {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Largest answer that is read, in bytes; 0 reads none of it.
    pub(crate) answer_bytes_max: usize,
}

impl Target {
    /// Reads an address.
    pub(crate) fn read(url: &str) -> Result<Target, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "it is not an address")?;
        let over_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err("it must begin with http:// or https://"),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("it must not hold credentials");
        }
        Ok(Target {
            over_tls,
            host: authority.host().trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: authority.port_u16().unwrap_or(if over_tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

impl Outgoing {
    pub(crate) fn new(ca_pem: Option<String>, clock: Clock) -> Outgoing {
        Outgoing { ca_pem, clock, tls: Arc::default() }
    }

    /// Asks, as far as the address may be connected to.
    pub(crate) async fn ask(&self, target: &Target, allowed: &Allowed, question: Question) -> Result<Answer, NoAnswer> {
        let no_connection = |error: std::io::Error| NoAnswer::NoConnection(error.to_string());
        let resolved = lookup_host((target.host.as_str(), target.port)).await.map_err(no_connection)?;
        let (allowed, others): (Vec<SocketAddr>, Vec<SocketAddr>) =
            resolved.partition(|address| allowed.allows(&target.host, *address));
        if allowed.is_empty() && !others.is_empty() {
            return Err(NoAnswer::Forbidden);
        }
        let mut last = "the name has no address".to_owned();
        for address in allowed {
            match TcpStream::connect(address).await {
                Ok(stream) => return self.over(stream, target, question).await,
                Err(error) => last = format!("{address}: {error}"),
            }
        }
        Err(NoAnswer::NoConnection(last))
    }

    fn tls(&self) -> Result<&TlsConnector, String> {
        let made = self.tls.get_or_init(|| {
            let connect = Connect {
                also_trust: self.ca_pem.clone(),
                ..Connect::new("https://localhost", Trust::System, self.clock.clone())
            };
            client_config(&connect).map(|config| TlsConnector::from(Arc::new(config))).map_err(|e| e.to_string())
        });
        made.as_ref().map_err(Clone::clone)
    }

    async fn over(&self, stream: TcpStream, target: &Target, question: Question) -> Result<Answer, NoAnswer> {
        if !target.over_tls {
            return ask_over(stream, target, question).await;
        }
        let no_connection = |error: String| NoAnswer::NoConnection(error);
        let name = ServerName::try_from(target.host.clone()).map_err(|error| no_connection(error.to_string()))?;
        let connector = self.tls().map_err(no_connection)?;
        let stream = connector.connect(name, stream).await.map_err(|error| no_connection(error.to_string()))?;
        ask_over(stream, target, question).await
    }
}

async fn ask_over(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    target: &Target,
    question: Question,
) -> Result<Answer, NoAnswer> {
    let broken = |error: &dyn std::fmt::Display| NoAnswer::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let mut request = Request::builder().method(question.method).uri(&target.path);
    if let Some(headers) = request.headers_mut() {
        *headers = question.headers;
    }
    let request = request
        .header("host", &target.authority)
        .header("user-agent", concat!("sortie-agent/", env!("CARGO_PKG_VERSION")))
        .header("connection", "close")
        .body(Full::new(question.body))
        .map_err(|error| broken(&error))?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let status = answer.status().as_u16();
        if question.answer_bytes_max == 0 {
            return Ok(Answer { status, body: Bytes::new() });
        }
        let body = Limited::new(answer.into_body(), question.answer_bytes_max).collect().await;
        let body = body.map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
            true => NoAnswer::TooLarge,
            false => NoAnswer::Broken(error.to_string()),
        })?;
        Ok(Answer { status, body: body.to_bytes() })
    };
    let mut exchange = std::pin::pin!(exchange);
    // The connection is driven until the answer is there; then both are dropped. A connection that has
    // ended may have brought the answer with its last bytes.
    tokio::select! {
        answer = &mut exchange => answer,
        _ended = connection => exchange.await,
    }
}
