//! `http.check` against services that answer, redirect, or do not answer.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::agents::Site;
use super::hub::{TestHub, task};

/// A service that gives this answer to everyone, and then closes.
async fn service(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 1024];
            let _length = stream.read(&mut request).await;
            let _gone = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

#[tokio::test]
async fn a_check_tells_how_the_service_answered_and_follows_nobody() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    let good = service("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let away = service("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n\r\n").await;
    let mute = service("").await;
    for (n, payload, ok, status) in [
        (1, format!(r#"{{"url":"http://127.0.0.1:{good}/health?x=1"}}"#), true, 200),
        (2, format!(r#"{{"url":"http://localhost:{good}"}}"#), true, 200),
        (3, format!(r#"{{"url":"http://127.0.0.1:{good}/","expect_status":204}}"#), false, 200),
        (4, format!(r#"{{"url":"http://127.0.0.1:{away}/"}}"#), false, 302),
        (5, format!(r#"{{"url":"http://127.0.0.1:{away}/","expect_status":302}}"#), true, 302),
        (6, format!(r#"{{"url":"http://127.0.0.1:{mute}/"}}"#), false, 0),
        (7, r#"{"url":"http://127.0.0.1:1/"}"#.to_owned(), false, 0),
        (8, format!(r#"{{"url":"https://127.0.0.1:{good}/","timeout_ms":2000}}"#), false, 0),
    ] {
        let work = task(n, "http.check", &payload);
        hub.desk.hand(vec![work.clone()]);
        let told: Value = serde_json::from_str(hub.desk.result(work.id).await.result.unwrap().get()).unwrap();
        assert_eq!((told["ok"].as_bool(), told["status"].as_u64().unwrap_or(0)), (Some(ok), status), "{payload}");
        assert_eq!(told["error"].is_string(), status == 0, "{told}");
    }
    running.stop().await;
}
