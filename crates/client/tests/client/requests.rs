//! What the client says.

use sortie_client::Trust;
use sortie_rules::ids::Id;
use sortie_rules::time::Span;
use sortie_wire::deliveries::WaitQuery;
use sortie_wire::nodes::NodeQuery;
use sortie_wire::tasks::SubmitTask;

use super::certificates::Authority;
use super::server::{Server, json};

fn lines(request: &str) -> Vec<&str> {
    request.lines().collect()
}

#[tokio::test]
async fn an_agent_s_wait_names_node_room_and_acknowledgement() {
    let authority = Authority::new("the hub's authority");
    let envelope = json(r#"{"payloadType":"t","payload":"","signatures":[]}"#);
    let server = Server::start(authority.server("localhost"), &[envelope]).await;
    let line = server.line(Trust::Pem(authority.pem()));
    let node = Id::from_uuid(uuid::Uuid::from_u128(5));
    let query = WaitQuery {
        room: 8,
        ack: 3,
        wait_s: 50,
        boot: Id::from_uuid(uuid::Uuid::from_u128(6)),
        seq: 1,
        keys: None,
        certified: None,
        clock: None,
    };
    line.wait(node, &query).await.unwrap();
    let asked = server.asked();
    let path = format!("/agent/v1/nodes/{node}/tasks/wait?ack=3&boot={}&room=8&seq=1&wait_s=50", query.boot);
    let asked_path = lines(&asked[0])[0].split(' ').nth(1).unwrap();
    let sorted = |path: &str| {
        let (path, query) = path.split_once('?').unwrap();
        let mut pairs: Vec<String> = query.split('&').map(str::to_owned).collect();
        pairs.sort();
        format!("{path}?{}", pairs.join("&"))
    };
    assert_eq!(sorted(asked_path), path);
    assert!(lines(&asked[0]).contains(&concat!("user-agent: sortie/", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn a_person_s_call_carries_token_trace_and_escaped_names() {
    let authority = Authority::new("the hub's authority");
    let server = Server::start(authority.server("localhost"), &[json(r#"{"items":[]}"#)]).await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let hub = server.hub(Trust::Pem(authority.pem()), Span::ZERO).traced(trace);
    hub.nodes(&NodeQuery { label: Some("ring=a b&c".into()), ..NodeQuery::default() }).await.unwrap();
    hub.node("../a/b?c").await.unwrap_err();
    let asked = server.asked();
    assert!(asked[0].starts_with("GET /api/v1/nodes?label=ring%3Da+b%26c HTTP/1.1"), "{}", asked[0]);
    assert!(lines(&asked[0]).contains(&"authorization: Bearer s3cret"));
    assert!(lines(&asked[0]).contains(&format!("traceparent: {trace}").as_str()));
    assert!(asked[1].starts_with("GET /api/v1/nodes/..%2Fa%2Fb%3Fc HTTP/1.1"), "{}", asked[1]);
}

#[tokio::test]
async fn a_submission_always_has_a_key() {
    let authority = Authority::new("the hub's authority");
    let id = uuid::Uuid::from_u128(7);
    let submitted = json(&format!(r#"{{"id":"{id}","node":"{id}","status":"pending"}}"#));
    let server = Server::start(authority.server("localhost"), &[submitted]).await;
    let hub = server.hub(Trust::Pem(authority.pem()), Span::ZERO);
    let task = SubmitTask {
        type_name: "sleep".into(),
        node: "box".into(),
        payload: None,
        priority: None,
        not_before: None,
        not_after: None,
        max_retries: None,
        lease: None,
    };
    hub.submit(&task, Some("mine")).await.unwrap();
    hub.submit(&task, None).await.unwrap();
    let asked = server.asked();
    assert!(lines(&asked[0]).contains(&"idempotency-key: mine"));
    assert!(lines(&asked[1]).iter().any(|line| line.starts_with("idempotency-key: 0101")));
    assert!(asked[0].ends_with(r#"{"type":"sleep","node":"box"}"#));
}
