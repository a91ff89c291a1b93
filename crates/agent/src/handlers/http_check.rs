//! `http.check`: whether a service answers. One GET, to an address that the policy allows: the name
//! is resolved, the address is judged, and the connection goes to that very address. Redirects are
//! an answer and are not followed.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde::{Deserialize, Serialize};
use sortie_client::tls::client_config;
use sortie_client::{Connect, Trust};
use sortie_rules::tasks::Code;
use sortie_rules::time::Span;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::handler::{Failure, Output, Work};
use crate::clock::{Clock, Steady};
use crate::policy::Policy;

const TIMEOUT_DEFAULT: Span = Span::seconds(5);
const TIMEOUT_MAX: Span = Span::minutes(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    url: String,
    expect_status: Option<u16>,
    timeout_ms: Option<i64>,
}

#[derive(Serialize)]
struct Checked {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What checks over TLS need. The operating system's certificates are read at the first of them.
#[derive(Clone)]
pub(super) struct Checker {
    ca_pem: Option<String>,
    clock: Clock,
    tls: Arc<OnceLock<Result<TlsConnector, String>>>,
}

impl Checker {
    pub(super) fn new(ca_pem: Option<String>, clock: Clock) -> Checker {
        Checker { ca_pem, clock, tls: Arc::default() }
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
}

pub(super) async fn run(work: Work, checker: Checker) -> Result<Output, Failure> {
    let Payload { url, expect_status, timeout_ms } = work.read()?;
    let target = Target::read(&url)?;
    let began = Steady::now();
    let timeout = timeout_ms.map_or(TIMEOUT_DEFAULT, |ms| Span(ms.clamp(1, TIMEOUT_MAX.0)));
    let asked = tokio::select! {
        asked = tokio::time::timeout(timeout.to_std(), ask(&target, &work.policy, &checker)) => asked,
        () = work.stop.cancelled() => return Err(Failure::Cancelled),
    };
    let answer = match asked {
        Ok(Err(Stop::Forbidden(failure))) => return Err(failure),
        Ok(Err(Stop::NoAnswer(why))) => Err(why),
        Ok(Ok(status)) => Ok(status),
        Err(_) => Err(format!("no answer within {timeout}")),
    };
    let good = |status: u16| expect_status.map_or((200..300).contains(&status), |expected| expected == status);
    Output::of(&Checked {
        ok: answer.as_ref().is_ok_and(|status| good(*status)),
        status: answer.as_ref().ok().copied(),
        ms: began.elapsed().0,
        error: answer.err(),
    })
}

#[derive(Debug)]
struct Target {
    over_tls: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// As it stands in the `Host` header.
    authority: String,
    path: String,
}

enum Stop {
    Forbidden(Failure),
    NoAnswer(String),
}

fn no_answer(error: impl std::fmt::Display) -> Stop {
    Stop::NoAnswer(error.to_string())
}

impl Target {
    fn read(url: &str) -> Result<Target, Failure> {
        let refuse = |why: &str| Failure::Rejected {
            code: Code::new(Code::BAD_PAYLOAD),
            message: format!("`url` cannot be used: {why}"),
        };
        let uri: Uri = url.parse().map_err(|_| refuse("it is not an address"))?;
        let over_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(refuse("it must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| refuse("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("it must not hold credentials"));
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

/// The status of the answer.
async fn ask(target: &Target, policy: &Policy, checker: &Checker) -> Result<u16, Stop> {
    let resolved = lookup_host((target.host.as_str(), target.port)).await.map_err(no_answer)?;
    let (allowed, others): (Vec<SocketAddr>, Vec<SocketAddr>) =
        resolved.partition(|address| policy.check_addresses.allows(&target.host, *address));
    if allowed.is_empty() && !others.is_empty() {
        let message = format!("the policy of this site does not list {}:{} for http.check", target.host, target.port);
        return Err(Stop::Forbidden(Failure::forbidden(message)));
    }
    let mut last = "the name has no address".to_owned();
    for address in allowed {
        match TcpStream::connect(address).await {
            Ok(stream) => return over(stream, target, checker).await,
            Err(error) => last = format!("{address}: {error}"),
        }
    }
    Err(Stop::NoAnswer(last))
}

async fn over(stream: TcpStream, target: &Target, checker: &Checker) -> Result<u16, Stop> {
    if !target.over_tls {
        return get(stream, target).await;
    }
    let name = ServerName::try_from(target.host.clone()).map_err(no_answer)?;
    let connector = checker.tls().map_err(Stop::NoAnswer)?;
    get(connector.connect(name, stream).await.map_err(no_answer)?, target).await
}

async fn get(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, target: &Target) -> Result<u16, Stop> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(no_answer)?;
    let request = Request::get(&target.path)
        .header("host", &target.authority)
        .header("user-agent", concat!("sortie-agent/", env!("CARGO_PKG_VERSION")))
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(no_answer)?;
    let mut answer = std::pin::pin!(sender.send_request(request));
    // The connection is driven until the head of the answer is there; then both are dropped. A
    // connection that has ended may have brought the answer with its last bytes.
    let answer = tokio::select! {
        answer = &mut answer => answer,
        _ended = connection => answer.await,
    };
    Ok(answer.map_err(no_answer)?.status().as_u16())
}
