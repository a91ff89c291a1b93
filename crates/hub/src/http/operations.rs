//! What the operator's own tools ask, on a loopback listener without TLS: is it alive, is it ready
//! for requests, what does it count.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{Router, get};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Shared};

/// How often the recorder tidies its histograms; without it their memory grows.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Installs the recorder behind all counters. A process has one; a second hub in the same process
/// (as in tests) shares it.
pub(crate) fn install_metrics() -> Option<PrometheusHandle> {
    PrometheusBuilder::new().install_recorder().ok()
}

/// Serves `/healthz`, `/readyz` and `/metrics`.
pub(crate) async fn serve_operations(
    app: Shared,
    address: SocketAddr,
    metrics: Option<PrometheusHandle>,
    stop: CancellationToken,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    begin_at_zero();
    let (upkeep, told) = (metrics.clone(), app.clone());
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .with_state(app)
        .route("/metrics", get(move || async move { page(&told, metrics.as_ref()) }));
    let ended = stop.clone();
    tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(async move { ended.cancelled().await });
        if let Err(error) = served.await {
            tracing::warn!(%error, "The operations listener ended");
        }
    });
    tokio::spawn(async move {
        while let Some(metrics) = &upkeep {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(UPKEEP_EVERY) => metrics.run_upkeep(),
            }
        }
    });
    Ok(bound)
}

/// Shows what is alarming when it first counts: an increase is seen only of what was there before.
fn begin_at_zero() {
    metrics::counter!("sortie_bells_lost_total").increment(0);
    metrics::counter!("sortie_outbox_lost_events_total").increment(0);
}

/// All counters. Whether this hub leads is looked at as it is told, since a leader that hears nothing of its database
/// any more leads no more without having done anything; and what the database was asked, the store counts by itself.
fn page(app: &App, metrics: Option<&PrometheusHandle>) -> String {
    metrics::gauge!("sortie_leader").set(f64::from(u8::from(app.leader.leads(app))));
    metrics::gauge!("sortie_locked_out").set(f64::from(u8::from(app.ring.is_locked_out())));
    let verbs = app.store.verbs();
    for (access, begun) in [("read", verbs.reads), ("write", verbs.writes)] {
        metrics::counter!("sortie_database_transactions_total", "access" => access).absolute(begun);
    }
    metrics.map(PrometheusHandle::render).unwrap_or_default()
}

/// Ready means that a request would be served, and what it writes kept. Without its blobs a hub serves all but old
/// logs, as every other hub would: that is said, and nobody is sent elsewhere.
async fn readyz(State(app): State<Shared>) -> (StatusCode, String) {
    match app.readiness.look(&app).await {
        Ok(()) => {
            let trouble = app.blobs.trouble().map(|why| format!("blobs are away: {why}\n"));
            (StatusCode::OK, format!("ready\n{}", trouble.unwrap_or_default()))
        }
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why.line().to_owned()),
    }
}
