//! What every request passes through: it gets a correlation id, is counted and timed, and a
//! refusal becomes a problem document that carries the id. A panic becomes a 500, not a dead line.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use sortie_rules::protocols;
use sortie_rules::rates::retry_after_seconds;
use sortie_rules::time::Span;
use sortie_wire::problem::{MEDIA_TYPE, Problem, ProblemCode};
use tracing::Instrument as _;

use super::trace;
use crate::app::Shared;
use crate::clock::{Entropy, Stopwatch};
use crate::fault::Fault;
use crate::proofs::{SealedFor, seal};

/// The header that carries the correlation id.
pub(crate) static CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// What every answer says to browsers, unless its handler knows better: nothing of the hub's is kept by those in
/// between, runs, is framed, is taken for something else, or is told to others.
const FOR_BROWSERS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Gives out correlation ids: one random half for this start, one that counts.
#[derive(Debug, Clone)]
pub(crate) struct Correlation {
    start: u32,
    count: Arc<AtomicU64>,
}

impl Correlation {
    /// Begins at a random place.
    pub(crate) fn new(entropy: &Entropy) -> Correlation {
        Correlation { start: entropy.draw(), count: Arc::new(AtomicU64::new(1)) }
    }

    fn next(&self) -> Arc<str> {
        format!("{:08x}{:08x}", self.start, self.count.fetch_add(1, Ordering::Relaxed)).into()
    }
}

/// The id of a request, for those who write it down.
#[derive(Debug, Clone)]
pub(crate) struct CorrelationId(pub(crate) Arc<str>);

/// A refusal on its way out; [`frame`] writes it down once the correlation id is known.
#[derive(Debug, Clone)]
struct Refused {
    problem: Problem,
    /// How long to wait before another try, where that is known.
    wait: Option<Span>,
}

/// The code of the problem with which a request is about to be refused.
pub(super) fn refusal(response: &Response) -> Option<ProblemCode> {
    response.extensions().get::<Refused>().map(|refused| refused.problem.code)
}

/// How long to wait before another try where nobody knows better.
const WAIT_USUAL: Span = Span::seconds(2);

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (problem, wait) = (self.to_problem(), self.wait());
        if self.is_ours() {
            tracing::error!(error = %self, code = problem.code.as_str(), "A request failed through a fault of the hub");
        }
        let mut response =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        response.extensions_mut().insert(Refused { problem, wait });
        response
    }
}

/// The outermost layer of every route.
pub(crate) fn frame(
    State((correlation, app)): State<(Correlation, Shared)>,
    mut request: Request,
    next: Next,
) -> impl Future<Output = Response> + Send {
    let (id, watch) = (correlation.next(), Stopwatch::start());
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", correlation_id = %id, method = %request.method(), route = %route);
    trace::join(&span, request.headers());
    let version = request.version();
    request.extensions_mut().insert(CorrelationId(Arc::clone(&id)));
    // The request goes on before anything here is held: one that waits for long should be kept once.
    let handling = Box::pin(AssertUnwindSafe(next.run(request).instrument(span.clone())).catch_unwind());
    async move {
        let handled = handling.await;
        let mut response = handled
            .unwrap_or_else(|_| span.in_scope(|| Fault::Broken("a handler panicked".to_owned()).into_response()));
        if let Some(Refused { problem, wait }) = response.extensions_mut().remove::<Refused>() {
            // What is wrong with a state is told to whoever wrote it, and may repeat what stands there.
            let is_loggable = problem.code != ProblemCode::StateInvalid;
            let detail = is_loggable.then_some(problem.detail.as_str());
            tracing::debug!(parent: &span, code = problem.code.as_str(), detail, "Refused a request");
            response = problem_response(Problem { instance: Some(id.as_ref().to_owned()), ..problem }, wait, response);
        }
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(CORRELATION_ID.clone(), value);
        }
        for (name, value) in FOR_BROWSERS {
            response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
        }
        // A proxy keeps no connection to a hub that is about to go, and sends nothing down one that ends.
        if app.readiness.is_stopping() && version == Version::HTTP_11 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if response.extensions().get::<SealedFor>().is_some() {
            response = Box::pin(seal(&app.ring.held(), response)).await;
        }
        if route.starts_with("/agent/")
            && let Ok(value) = HeaderValue::from_str(&protocols::spoken())
        {
            response.headers_mut().insert(protocols::HEADER, value);
        }
        let status = response.status().as_u16().to_string();
        metrics::counter!("sortie_http_requests_total", "route" => route.clone(), "status" => status).increment(1);
        metrics::histogram!("sortie_http_request_seconds", "route" => route).record(watch.seconds());
        response
    }
}

fn problem_response(problem: Problem, wait: Option<Span>, bare: Response) -> Response {
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let (mut parts, _) = bare.into_parts();
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    if matches!(problem.status, 429 | 503) {
        let seconds = retry_after_seconds(wait.unwrap_or(WAIT_USUAL));
        parts.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.status == 401 {
        parts.headers.insert(axum::http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    Response::from_parts(parts, axum::body::Body::from(body))
}
