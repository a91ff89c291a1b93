//! The one TLS listener: accepts connections within limits, lets each handshake take so long and no
//! longer, tells every request who is at the other end, and stops in an orderly way.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::routing::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1::UpgradeableConnection;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use sortie_rules::time::Span;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tower::util::Oneshot;

use super::doors::{Doors, Pass};
use super::handshakes::Handshakes;
use super::newcomers::{Newcomer, Newcomers};
use super::protocols::Protocols;
use crate::app::Shared;
use crate::identity::{Peer, PeerNode};

/// How long a connection may take to its first request.
const FIRST_REQUEST_MAX: Duration = Duration::from_secs(30);
/// How long a TLS handshake may take, the wait for its turn with it.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long a hub that stops waits for the first request of connections that it has taken: a proxy has sent it, or
/// is about to, and could not tell whether it was heard.
const NEWCOMERS_WAIT: Duration = Duration::from_secs(1);
/// Connections that may wait until they are accepted: what Linux allows at most, unless it was told otherwise
/// (`net.core.somaxconn`). After a restart all agents come at once, and who finds no room tries again after seconds.
const WAITING_MAX: u32 = 4096;
/// How TLS names HTTP/2.
const HTTP2: &[u8] = b"h2";

/// A connection as it is served.
type Serving = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A listener at work.
#[derive(Debug)]
pub(crate) struct Listening {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Listening {
    /// Returns once every connection has ended, or the grace is over.
    pub(crate) async fn ended(self) {
        let _ = self.accepting.await;
    }
}

/// Listens at an address. Who connects waits until [`serve`] accepts him.
pub(crate) fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
}

/// Serves `router` until `stop`, then lets requests under way finish within `grace`.
pub(crate) fn serve(
    app: Shared,
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    grace: Span,
) -> std::io::Result<Listening> {
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(accept(app, listener, router, stop, grace));
    Ok(Listening { address, accepting })
}

async fn accept(app: Shared, listener: TcpListener, router: Router, stop: CancellationToken, grace: Span) {
    let doors = Doors::new(&app.settings);
    let (graceful, protocols, newcomers) = (GracefulShutdown::new(), Arc::new(Protocols::new()), Newcomers::default());
    let (handshakes, leave) = (Handshakes::default(), CancellationToken::new());
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: what is open goes on, new ones wait a moment.
                tracing::warn!(%error, "Could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let pass = match doors.enter(address.ip()) {
            Ok(pass) => pass,
            Err(why) => {
                metrics::counter!("sortie_connections_refused_total", "limit" => why.as_str()).increment(1);
                continue;
            }
        };
        tokio::spawn(connection(
            app.clone(),
            (stream, address),
            handshakes.clone(),
            router.clone(),
            Exit { watcher: graceful.watcher(), leave: leave.clone() },
            protocols.clone(),
            (newcomers.enter(), pass),
        ));
    }
    drop(listener);
    let _ = tokio::time::timeout(NEWCOMERS_WAIT.min(grace.to_std()), newcomers.have_asked()).await;
    leave.cancel();
    let _ = tokio::time::timeout(grace.to_std(), graceful.shutdown()).await;
}

async fn connection(
    app: Shared,
    (stream, address): (TcpStream, SocketAddr),
    handshakes: Handshakes,
    router: Router,
    exit: Exit,
    protocols: Arc<Protocols>,
    (newcomer, _pass): (Newcomer, Pass),
) {
    // What a connection might need takes room in it for as long as it is open: the handshake and the
    // protocol are boxed, and the first is let go before the second begins.
    let Some(secured) = Box::pin(handshake(app, stream, address, handshakes)).await else { return };
    let newcomer = Arc::new(newcomer);
    let serving = secured.serve(router, exit, &protocols, Arc::clone(&newcomer));
    // Who has not said a whole request by then is not waited for: until the first one, nothing else has an
    // eye on the time.
    let silent = async {
        tokio::time::sleep(FIRST_REQUEST_MAX).await;
        if newcomer.has_asked() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::debug!(%address, %error, "A connection ended early");
            }
        }
        () = silent => tracing::debug!(%address, "A connection asked for nothing and was closed"),
    }
}

/// By what a connection learns that the hub stops, and the hub that the connection has ended.
struct Exit {
    /// Waited for until it is dropped.
    watcher: Watcher,
    /// Cancelled when requests under way are to be the last.
    leave: CancellationToken,
}

/// A connection whose TLS is set up.
struct Secured {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    speaks_http2: bool,
}

impl Secured {
    /// Lets the router answer its requests, to the end of the connection.
    fn serve(self, router: Router, exit: Exit, protocols: &Protocols, newcomer: Arc<Newcomer>) -> Serving {
        let (io, answers) = (TokioIo::new(self.stream), Answers { router, peer: Arc::new(self.peer), newcomer });
        if self.speaks_http2 {
            Box::pin(exit.watcher.watch(protocols.http2.serve_connection(io, answers)))
        } else {
            Box::pin(serve_http1(protocols.http1.serve_connection(io, answers).with_upgrades(), exit))
        }
    }
}

/// Serves a connection that may become a socket; then it is none of ours any more.
async fn serve_http1(
    connection: UpgradeableConnection<TokioIo<TlsStream<TcpStream>>, Answers>,
    exit: Exit,
) -> hyper::Result<()> {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        served = connection.as_mut() => return served,
        () = exit.leave.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

/// Sets TLS up and reads who is at the other end. Nothing, if that fails or takes too long.
async fn handshake(app: Shared, stream: TcpStream, address: SocketAddr, handshakes: Handshakes) -> Option<Secured> {
    let _ = stream.set_nodelay(true);
    let acceptor = TlsAcceptor::from(app.tls.config());
    let handshake = handshakes.in_turn(stream, |stream| acceptor.accept(stream));
    let handshake = tokio::time::timeout(HANDSHAKE_MAX, handshake).await;
    let stream = match handshake.unwrap_or_else(|late| Err(late.into())).and_then(Option::transpose) {
        Ok(Some(stream)) => stream,
        Ok(None) => {
            metrics::counter!("sortie_tls_handshakes_left_total").increment(1);
            return None;
        }
        Err(error) => {
            tracing::debug!(%address, %error, "A TLS handshake failed");
            metrics::counter!("sortie_tls_handshakes_failed_total").increment(1);
            return None;
        }
    };
    let session = stream.get_ref().1;
    let certificate = session.peer_certificates().and_then(<[_]>::first);
    let peer = Peer { address: address.ip(), node: certificate.and_then(PeerNode::read) };
    let speaks_http2 = session.alpn_protocol() == Some(HTTP2);
    Some(Secured { stream, peer, speaks_http2 })
}

/// Lets the router answer the requests of one connection, and tells it who asks.
struct Answers {
    router: Router,
    peer: Arc<Peer>,
    newcomer: Arc<Newcomer>,
}

impl Service<Request<Incoming>> for Answers {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Oneshot<Router, Request<Body>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.newcomer.asks();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Arc::clone(&self.peer));
        self.router.clone().oneshot(request)
    }
}
