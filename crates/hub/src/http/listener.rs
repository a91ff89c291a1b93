//! The one TLS listener: accepts connections within limits, lets each handshake take so long and no
//! longer, tells every request who is at the other end, and stops in an orderly way.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::routing::Router;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use sortie_rules::time::Span;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::app::Shared;
use crate::identity::{Peer, PeerNode};

/// How long a connection may take to its first request.
const FIRST_REQUEST_MAX: Duration = Duration::from_secs(30);
/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long a connection may be silent between requests before it is closed.
const IDLE_MAX: Duration = Duration::from_secs(75);
/// Largest block of request headers.
const HEADERS_BYTES_MAX: u32 = 16 << 10;
/// Most requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;

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
    let doors = Doors {
        total: Arc::new(Semaphore::new(app.settings.connections_max)),
        per_address: Arc::default(),
        per_address_max: app.settings.connections_per_address_max,
    };
    let graceful = GracefulShutdown::new();
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
        let Some(pass) = doors.enter(address.ip()) else {
            metrics::counter!("sortie_connections_refused_total").increment(1);
            continue;
        };
        tokio::spawn(connection(app.clone(), stream, address, router.clone(), graceful.watcher(), pass));
    }
    drop(listener);
    let _ = tokio::time::timeout(grace.to_std(), graceful.shutdown()).await;
}

async fn connection(
    app: Shared,
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    watcher: Watcher,
    _pass: Pass,
) {
    let _ = stream.set_nodelay(true);
    let handshake = TlsAcceptor::from(app.tls.config()).accept(stream);
    let stream = match tokio::time::timeout(HANDSHAKE_MAX, handshake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%address, %error, "A TLS handshake failed");
            metrics::counter!("sortie_tls_handshakes_failed_total").increment(1);
            return;
        }
        Err(_) => return,
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let peer = Arc::new(Peer { node: certificate.and_then(PeerNode::read) });
    let has_asked = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&has_asked);
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(Arc::clone(&peer));
        router.clone().oneshot(request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE_MAX).max_buf_size(HEADERS_BYTES_MAX as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADERS_BYTES_MAX)
        .keep_alive_interval(Some(IDLE_MAX))
        .keep_alive_timeout(HANDSHAKE_MAX);
    let serving = watcher.watch(builder.serve_connection(TokioIo::new(stream), service).into_owned());
    tokio::pin!(serving);
    // Who has not said a whole request by then is not waited for: until the first one, nothing else has an
    // eye on the time.
    let silent = async {
        tokio::time::sleep(FIRST_REQUEST_MAX).await;
        if has_asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = &mut serving => {
            if let Err(error) = served {
                tracing::debug!(%address, %error, "A connection ended early");
            }
        }
        () = silent => tracing::debug!(%address, "A connection asked for nothing and was closed"),
    }
}

/// Counts who is inside.
struct Doors {
    total: Arc<Semaphore>,
    per_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_address_max: usize,
}

/// One connection's leave to be inside; given back when dropped.
struct Pass {
    _total: OwnedSemaphorePermit,
    per_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Doors {
    fn enter(&self, address: IpAddr) -> Option<Pass> {
        let total = Arc::clone(&self.total).try_acquire_owned().ok()?;
        let mut counts = self.per_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= self.per_address_max {
            return None;
        }
        *count += 1;
        Some(Pass { _total: total, per_address: Arc::clone(&self.per_address), address })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut counts = self.per_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}
