//! Traces: a request's span leaves over OTLP in the trace that the caller named, and a collector that
//! is away harms nobody.

use serde_json::json;
use stories::{Scene, TraceSink, on_sqlite, until};

on_sqlite!(
    spans_leave_in_the_trace_that_the_caller_named,
    the_last_spans_leave_when_the_hub_stops,
    a_collector_that_is_away_harms_nobody,
    a_collector_s_address_that_is_none_is_refused,
);

const TRACE: [u8; 16] =
    [0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c];
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn spans_leave_in_the_trace_that_the_caller_named(scene: Scene) {
    let sink = TraceSink::start().await;
    let hub = scene.hub().setting("otlp_endpoint", sink.url()).start().await;
    let node = hub.hand_node("north").await;
    let task = json!({ "type": "sys.info", "node": "north", "payload": {} });
    let submitted =
        hub.request(http::Method::POST, "/api/v1/tasks").header("traceparent", TRACEPARENT).json(&task).send().await;
    assert_eq!(submitted.status, 201, "{submitted:?}");
    assert_eq!(node.take_one().await.traceparent.as_deref(), Some(TRACEPARENT), "and on to the agent");
    let post = until("the trace arrives", async || sink.posts().into_iter().find(|post| post.holds(&TRACE))).await;
    assert_eq!(post.path, "/v1/traces");
    for word in ["sortie-hub", "request", "/api/v1/tasks", "correlation_id"] {
        assert!(post.holds(word.as_bytes()), "{word}");
    }
    assert!(!post.holds(hub.admin_token().as_bytes()), "no secret leaves with it");
}

async fn the_last_spans_leave_when_the_hub_stops(scene: Scene) {
    let sink = TraceSink::start().await;
    let hub = scene.hub().setting("otlp_endpoint", sink.url()).start().await;
    let correlation = hub.request(http::Method::GET, "/api/v1/whoami").send().await.headers["x-correlation-id"].clone();
    let (_, status) = hub.stop().await;
    assert_eq!(status.code(), Some(0));
    assert!(sink.posts().iter().any(|post| post.holds(correlation.as_bytes())));
}

async fn a_collector_that_is_away_harms_nobody(scene: Scene) {
    let nobody = format!("http://127.0.0.1:{}", scene.free_port());
    let hub = scene.hub().setting("otlp_endpoint", nobody).start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    for _ in 0..20 {
        let id = hub.submit("north", "sys.info", json!({})).await;
        assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    }
    let (_, status) = hub.stop().await;
    assert_eq!(status.code(), Some(0), "and it does not keep the hub from stopping");
}

async fn a_collector_s_address_that_is_none_is_refused(scene: Scene) {
    let said = crate::data_folder::does_not_start(&scene.hub().setting("otlp_endpoint", "no address"), 2).await;
    assert!(said.contains("otlp_endpoint"), "{said}");
}
