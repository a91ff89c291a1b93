//! The agent's side of the API, as the test hub serves it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use sortie_rules::ids::{Id, NodeId, TaskId};
use sortie_wire::answers::{HEADER, endorsable, header};
use sortie_wire::deliveries::{SignedTime, TimeQuery, WaitQuery};
use sortie_wire::desired::{DesiredAnswer, DesiredQuery, Observed};
use sortie_wire::enrollment::{Certificate, Enroll, Enrolled, Invite, InviteProof, Renew, Renewed};
use sortie_wire::envelope::TIME;
use sortie_wire::events::SendEvents;
use sortie_wire::heartbeat::{Heartbeat, Pulse};
use sortie_wire::keys::{KeyChain, KeysQuery};
use sortie_wire::operators::{OperatorChain, OperatorsQuery};
use sortie_wire::problem::{Problem, ProblemCode};
use sortie_wire::refusals::RefusalReport;
use sortie_wire::reports::SendReport;
use sortie_wire::results::{Receipt, Receipts, ResultBatch};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::NOW;
use super::authority::Authority;
use super::desk::Desk;

/// A running test hub.
pub(crate) struct TestHub {
    pub(crate) desk: Arc<Desk>,
    authority: Arc<Authority>,
    address: SocketAddr,
    server: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Shared {
    desk: Arc<Desk>,
    authority: Arc<Authority>,
}

struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Ok((tcp, peer)) = self.tcp.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(tcp).await {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl TestHub {
    pub(crate) async fn start() -> TestHub {
        let address = "127.0.0.1:0".parse().unwrap();
        let authority = Authority::new();
        let mut hub =
            TestHub { desk: Arc::new(Desk::new(&authority)), authority: Arc::new(authority), address, server: None };
        hub.come_back().await;
        hub
    }

    /// Takes connections again, at the same address.
    pub(crate) async fn come_back(&mut self) {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()
            .unwrap();
        let (chain, key) = self.authority.server();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)
            .unwrap();
        let tcp = TcpListener::bind(self.address).await.unwrap();
        self.address = tcp.local_addr().unwrap();
        let listener = TlsListener { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) };
        let router = router(Shared { desk: Arc::clone(&self.desk), authority: Arc::clone(&self.authority) });
        let serving = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        self.server = Some(serving);
        *self.desk.is_away.lock().unwrap() = false;
    }

    /// Takes no new connections, and answers whatever comes over old ones with a 503.
    pub(crate) async fn go_away(&mut self) {
        *self.desk.is_away.lock().unwrap() = true;
        if let Some(server) = self.server.take() {
            server.abort();
            assert!(server.await.unwrap_err().is_cancelled());
        }
        self.desk.queued.notify_waiters();
    }

    pub(crate) fn invite(&self) -> Invite {
        Invite {
            hub: format!("https://localhost:{}", self.address.port()),
            ca: sortie_client::tls::fingerprint(&self.authority.der()),
            id: Id::from_uuid(uuid::Uuid::from_u128(1)),
            secret: "s3cret".into(),
        }
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/agent/v1/enroll", post(enroll))
        .route("/agent/v1/renew", post(renew))
        .route("/agent/v1/keys", get(keys))
        .route("/agent/v1/time", get(time))
        .route("/agent/v1/nodes/{node}/tasks/wait", get(wait))
        .route("/agent/v1/nodes/{node}/operators", get(operators))
        .route("/agent/v1/nodes/{node}/results", post(results))
        .route("/agent/v1/nodes/{node}/heartbeat", post(heartbeat))
        .route("/agent/v1/nodes/{node}/refusals", post(refusals))
        .route("/agent/v1/nodes/{node}/desired", get(desired))
        .route("/agent/v1/nodes/{node}/observed", post(observed))
        .route("/agent/v1/nodes/{node}/reports", post(reports))
        .route("/agent/v1/nodes/{node}/events", post(events))
        .with_state(shared)
}

fn problem(code: ProblemCode) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap();
    (status, Json(Problem::new(code, "as the test says"))).into_response()
}

fn certificate(shared: &Shared, request: &str) -> Certificate {
    let name = shared.desk.certificate_name();
    Certificate {
        chain: shared.authority.grant(request, &name),
        not_before: NOW,
        not_after: shared.desk.certificate_until(),
    }
}

async fn enroll(State(shared): State<Shared>, headers: HeaderMap, Json(request): Json<Enroll>) -> Response {
    let certificate = certificate(&shared, &request.certificate_request);
    shared.desk.note(|asked| asked.enrollments.push(request));
    let (node, keys) = (shared.desk.node, shared.desk.keys());
    let (chain, hub_id) = (shared.authority.chain(), "hub".into());
    let enrolled = Enrolled { node, name: "box".into(), certificate, keys, hub_id, chain, now: NOW };
    let proof = InviteProof::read(headers["authorization"].to_str().unwrap()).expect("a proof for an invite");
    let body = serde_json::to_vec(&enrolled).unwrap();
    let signature = shared.authority.sign(&endorsable(&proof.nonce, &body));
    ([("content-type", "application/json"), (HEADER, &header(&signature))], body).into_response()
}

async fn renew(State(shared): State<Shared>, Json(request): Json<Renew>) -> Json<Renewed> {
    let certificate = certificate(&shared, &request.certificate_request);
    shared.desk.note(|asked| asked.renewals.push(request));
    Json(Renewed { certificate, keys_version: shared.desk.keys().version, now: NOW })
}

async fn keys(State(shared): State<Shared>, Query(query): Query<KeysQuery>) -> Json<KeyChain> {
    shared.desk.note(|asked| asked.keys += 1);
    Json(shared.desk.chain(query.after))
}

async fn time(State(shared): State<Shared>, Query(query): Query<TimeQuery>) -> Response {
    shared.desk.note(|asked| asked.times += 1);
    let told = SignedTime { nonce: query.nonce, now: NOW };
    Json(shared.desk.sign(TIME, &serde_json::to_vec(&told).unwrap())).into_response()
}

async fn wait(State(shared): State<Shared>, Path(_): Path<NodeId>, Query(query): Query<WaitQuery>) -> Response {
    let desk = &shared.desk;
    desk.note(|asked| asked.waits.push(query));
    if let Some(code) = desk.refuse_waits.lock().unwrap().pop_front() {
        return problem(code);
    }
    loop {
        let queued = desk.queued.notified();
        if *desk.is_away.lock().unwrap() {
            return problem(ProblemCode::StorageUnavailable);
        }
        if desk.look(|asked| asked.waits.last().map(|newest| newest.seq)) != Some(query.seq) {
            return problem(ProblemCode::WaitLate);
        }
        if let Some(body) = desk.next(&query) {
            return ([(header::CONTENT_TYPE, "application/json")], body).into_response();
        }
        queued.await;
    }
}

async fn operators(
    State(shared): State<Shared>,
    Path(_): Path<NodeId>,
    Query(query): Query<OperatorsQuery>,
) -> Response {
    let after = query.after.unwrap_or(0);
    shared.desk.note(|asked| asked.operators.push(after));
    if let Some(code) = shared.desk.refuse_operators.lock().unwrap().pop_front() {
        return problem(code);
    }
    let sets = shared.desk.operators.lock().unwrap().clone();
    let links = sets.into_iter().filter(|(version, _)| *version > after).map(|(_, link)| link).collect();
    Json(OperatorChain { links }).into_response()
}

async fn desired(State(shared): State<Shared>, Path(_): Path<NodeId>, Query(query): Query<DesiredQuery>) -> Response {
    if *shared.desk.is_away.lock().unwrap() {
        return problem(ProblemCode::StorageUnavailable);
    }
    let state = shared.desk.state_for(&query);
    shared.desk.note(|asked| asked.desired.push(query));
    Json(DesiredAnswer { state }).into_response()
}

async fn observed(State(shared): State<Shared>, Path(_): Path<NodeId>, Json(observed): Json<Observed>) -> Response {
    if *shared.desk.is_away.lock().unwrap() {
        return problem(ProblemCode::StorageUnavailable);
    }
    shared.desk.note(|asked| asked.observed.push(observed));
    StatusCode::NO_CONTENT.into_response()
}

async fn reports(State(shared): State<Shared>, Path(_): Path<NodeId>, Json(report): Json<SendReport>) -> Response {
    if *shared.desk.is_away.lock().unwrap() {
        return problem(ProblemCode::StorageUnavailable);
    }
    shared.desk.note(|asked| asked.reports.push(report));
    StatusCode::NO_CONTENT.into_response()
}

async fn events(State(shared): State<Shared>, Path(_): Path<NodeId>, Json(events): Json<SendEvents>) -> Response {
    // What is lost on the way back was heard all the same.
    shared.desk.note(|asked| asked.events.push(events));
    if *shared.desk.is_away.lock().unwrap() {
        return problem(ProblemCode::StorageUnavailable);
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn results(State(shared): State<Shared>, Path(_): Path<NodeId>, body: Bytes) -> Response {
    if body.len() > *shared.desk.results_bytes_max.lock().unwrap() {
        return (StatusCode::PAYLOAD_TOO_LARGE, "<html>a proxy says no</html>").into_response();
    }
    let batch: ResultBatch = serde_json::from_slice(&body).unwrap();
    let away = shared.desk.is_away.lock().unwrap().then_some(ProblemCode::StorageUnavailable);
    let refused = away.or(*shared.desk.refuse_results.lock().unwrap());
    if let Some(code) = refused {
        shared.desk.note(|asked| asked.results_refused += 1);
        return problem(code);
    }
    let receipts = batch.results.iter();
    let receipts = receipts.map(|result| Receipt { task: result.task, run: result.run, refused: None }).collect();
    shared.desk.note(|asked| asked.results.extend(batch.results));
    Json(Receipts { receipts }).into_response()
}

async fn refusals(State(shared): State<Shared>, Json(report): Json<RefusalReport>) -> Response {
    if *shared.desk.is_away.lock().unwrap() || *shared.desk.refuse_refusals.lock().unwrap() {
        shared.desk.note(|asked| asked.refusals_unheard += 1);
        return problem(ProblemCode::StorageUnavailable);
    }
    shared.desk.note(|asked| asked.refusals.push(report));
    StatusCode::NO_CONTENT.into_response()
}

async fn heartbeat(State(shared): State<Shared>, Path(_): Path<NodeId>, Json(beat): Json<Heartbeat>) -> Json<Pulse> {
    let held: Vec<TaskId> = beat.held.iter().map(|held| held.task).collect();
    shared.desk.note(|asked| asked.heartbeats.push(beat));
    let (cancel, not_held) = shared.desk.pulse.lock().unwrap().clone();
    let cancel = cancel.into_iter().filter(|task| held.contains(task)).collect();
    Json(Pulse { now: NOW, cancel, not_held })
}
