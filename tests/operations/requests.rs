//! What may come to the public listener: both versions of HTTP, so many connections and headers so
//! long, and nothing without TLS.

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use stories::{RunningHub, Scene, TlsLine, on_sqlite, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

on_sqlite!(
    both_versions_of_http_are_spoken,
    headers_that_are_too_long_are_refused,
    what_is_no_http_is_refused,
    plain_http_on_the_tls_port_does_not_hang,
    one_address_has_so_many_connections_and_no_more,
    the_hub_has_so_many_connections_and_no_more,
    a_connection_that_asks_for_nothing_is_closed,
);

async fn both_versions_of_http_are_spoken(scene: Scene) {
    let hub = scene.hub().start().await;
    let mut line = hub.tls(&["http/1.1"]).await.unwrap();
    assert_eq!(line.protocol().as_deref(), Some("http/1.1"));
    line.say(&whoami(&hub, "")).await.unwrap();
    assert!(line.head().await.starts_with("HTTP/1.1 200 "));
    let line = hub.tls(&["h2", "http/1.1"]).await.unwrap();
    assert_eq!(line.protocol().as_deref(), Some("h2"), "the newer one is chosen where both are offered");
    let io = TokioIo::new(line.into_stream());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..3 {
        let request = hyper::Request::get(format!("{}/api/v1/whoami", hub.url()))
            .header("authorization", format!("Bearer {}", hub.admin_token()))
            .body(Empty::<Bytes>::new())
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, hyper::Version::HTTP_2));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("\"admin\""));
    }
}

async fn headers_that_are_too_long_are_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let mut line = hub.tls(&["http/1.1"]).await.unwrap();
    let long = format!("x-long: {}\r\n", "a".repeat(20 * 1024));
    line.say(&whoami(&hub, &long)).await.unwrap();
    let answer = line.rest().await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let fitting = format!("x-long: {}\r\n", "a".repeat(8 * 1024));
    let mut line = hub.tls(&["http/1.1"]).await.unwrap();
    line.say(&whoami(&hub, &fitting)).await.unwrap();
    assert!(line.head().await.starts_with("HTTP/1.1 200 "));
}

async fn what_is_no_http_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let mut line = hub.tls(&["http/1.1"]).await.unwrap();
    line.say("good morning\r\n\r\n").await.unwrap();
    let answer = line.rest().await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(hub.people().whoami().await.is_ok());
}

async fn plain_http_on_the_tls_port_does_not_hang(scene: Scene) {
    let hub = scene.hub().start().await;
    let mut stream = TcpStream::connect(hub.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: hub\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // The end of the connection is what is waited for; whether it is polite does not matter.
    let _ended = stream.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    until("it is counted", async || {
        hub.operations("/metrics").await.1.contains("sortie_tls_handshakes_failed_total 1").then_some(())
    })
    .await;
}

async fn one_address_has_so_many_connections_and_no_more(scene: Scene) {
    limited(scene.hub().setting("connections_per_address_max", 3).start().await, 3, "address").await;
}

async fn the_hub_has_so_many_connections_and_no_more(scene: Scene) {
    limited(scene.hub().setting("connections_max", 3).start().await, 3, "hub").await;
}

/// Only so many get in at once; the next is turned away at once, and gets in when one has left.
async fn limited(hub: RunningHub<'_>, max: usize, limit: &str) {
    let mut inside: Vec<TlsLine> = Vec::new();
    until("it is full", async || match hub.tls(&["http/1.1"]).await {
        Ok(line) => {
            inside.push(line);
            (inside.len() == max).then_some(())
        }
        // A connection of the story's own start may not have left yet.
        Err(_) => None,
    })
    .await;
    assert!(hub.tls(&["http/1.1"]).await.is_err(), "there is no place left");
    let counted = format!("sortie_connections_refused_total{{limit=\"{limit}\"}}");
    assert!(hub.operations("/metrics").await.1.contains(&counted));
    for line in &mut inside {
        line.say(&whoami(&hub, "")).await.unwrap();
        assert!(line.head().await.starts_with("HTTP/1.1 200 "), "those inside are served");
    }
    inside.pop();
    until("a place is free", async || hub.tls(&["http/1.1"]).await.ok().map(drop)).await;
}

fn whoami(hub: &RunningHub<'_>, more: &str) -> String {
    let token = hub.admin_token();
    format!("GET /api/v1/whoami HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {token}\r\n{more}\r\n")
}

async fn a_connection_that_asks_for_nothing_is_closed(scene: Scene) {
    let hub = scene.hub().start().await;
    let mut inside = Vec::new();
    for protocols in [&["h2"][..], &["http/1.1"], &[]] {
        inside.push(hub.tls(protocols).await.expect("it comes in"));
        let mut half = hub.tls(protocols).await.expect("it comes in");
        half.say("GET / HTT").await.expect("it is inside");
        inside.push(half);
    }
    // Each ends without another word of theirs, or the story does not.
    let said = futures_util::future::join_all(inside.iter_mut().map(TlsLine::rest)).await;
    assert!(said.iter().all(|said| !said.contains("200")), "{said:?}");
}
