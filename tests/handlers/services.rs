//! Local services as handlers: the payload is posted, any 2xx is success, and nothing is asked that the
//! policy does not name.

use std::net::SocketAddr;

use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use stories::{Scene, Site, on_sqlite, until};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::help::{Stage, TYPE, stage};

on_sqlite!(
    a_service_gets_the_payload_and_its_answer_is_the_result,
    any_2xx_is_success_and_other_statuses_are_mapped,
    a_service_that_is_away_is_tried_again,
    an_address_that_the_policy_does_not_name_is_not_asked,
    a_service_that_does_not_answer_in_time_is_given_up,
    headers_of_the_site_are_sent_and_seen_nowhere,
);

/// A service that echoes what it is asked at `/echo`, and answers with any status at `/STATUS`.
async fn serve() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there is a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answer(mut stream: TcpStream) {
    let mut read = Vec::new();
    let (head, body) = loop {
        let mut part = [0; 4096];
        let Ok(count @ 1..) = stream.read(&mut part).await else { return };
        read.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let (status, body) = match path.as_str() {
        "echo" => ("200 OK".to_owned(), json!({ "head": head, "body": body }).to_string()),
        "silent" => {
            // It never answers: the other side gives up first.
            let _their_end = stream.read(&mut [0; 1]).await;
            return;
        }
        "garbage" => ("200 OK".to_owned(), "<html>".to_owned()),
        "302" => ("302 Found\r\nlocation: /echo".to_owned(), String::new()),
        status => (format!("{status} X"), if status == "204" { String::new() } else { "\"said\"".to_owned() }),
    };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let _their_affair = stream.write_all(answer.as_bytes()).await;
}

/// Makes a site ask this address, with these lines in the policy's table, and waits until it does.
async fn ask(stage: &Stage<'_>, url: &str, lines: &str) {
    let log = || stage.agent.process.log().matches("the policy has changed").count();
    let before = log();
    set_service(&stage.site, url, lines);
    until("the policy is read again", async || {
        stage.hub.submit("north", "sys.info", json!({})).await;
        (log() > before).then_some(())
    })
    .await;
}

fn set_service(site: &Site<'_>, url: &str, lines: &str) {
    site.set_policy(&format!("[handlers.\"{TYPE}\"]\nkind = \"http\"\nurl = \"{url}\"\n{lines}\n"));
}

async fn a_service_gets_the_payload_and_its_answer_is_the_result(scene: Scene) {
    let (stage, address) = (stage(&scene, "", "").await, serve().await);
    ask(&stage, &format!("http://{address}/echo"), "").await;
    let task = stage.done(json!({ "study": "1.2.3" })).await;
    let result = task.result.expect("it completed");
    assert_eq!(result["body"], r#"{"study":"1.2.3"}"#);
    let head = result["head"].as_str().expect("text").to_lowercase();
    for said in ["post /echo", "content-type: application/json", &format!("sortie-task-id: {}", task.summary.id)] {
        assert!(head.contains(said), "`{said}` is not in {head}");
    }
}

async fn any_2xx_is_success_and_other_statuses_are_mapped(scene: Scene) {
    let (stage, address) = (stage(&scene, "", "").await, serve().await);
    for (path, result) in [("200", json!("said")), ("201", json!("said")), ("204", Value::Null), ("299", json!("said"))]
    {
        ask(&stage, &format!("http://{address}/{path}"), "").await;
        let task = stage.done(json!({})).await;
        assert_eq!(task.summary.status, Status::Completed, "{path}");
        assert_eq!(task.result.unwrap_or(Value::Null), result, "{path}");
    }
    for (path, code, retries) in [
        ("302", "service_refused", 0),
        ("404", "service_refused", 0),
        ("503", "service_refused", 1),
        ("500", "service_refused", 1),
        ("garbage", "output_invalid", 0),
    ] {
        ask(&stage, &format!("http://{address}/{path}"), "").await;
        let id = stage.hub.sortie(&["task", "submit", TYPE, "--node", "north", "--max-retries", "1"]).well().stdout;
        let task = stage.hub.ended(id.trim().parse().expect("an id")).await;
        assert_eq!(task.summary.code.map(|code| code.0).as_deref(), Some(code), "{path}");
        assert_eq!(task.summary.retries, retries, "{path}");
    }
}

async fn a_service_that_is_away_is_tried_again(scene: Scene) {
    let stage = stage(&scene, "", "").await;
    let port = scene.free_port();
    ask(&stage, &format!("http://127.0.0.1:{port}/echo"), "").await;
    let id = stage.hub.submit("north", TYPE, json!({})).await;
    until("a try has failed", async || (stage.hub.task(id).await.summary.retries > 0).then_some(())).await;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    assert_eq!(stage.hub.ended(id).await.summary.status, Status::Completed);
}

async fn an_address_that_the_policy_does_not_name_is_not_asked(scene: Scene) {
    let (stage, address) = (stage(&scene, "", "").await, serve().await);
    // A name that leads to this machine, which only `localhost` may without more words.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("the machine has a name");
    let url = format!("http://{}:{}/echo", host.trim(), address.port());
    ask(&stage, &url, "").await;
    let task = stage.done(json!({})).await;
    let code = task.summary.code.expect("a code").0;
    assert!(code == "forbidden_by_policy" || code == "service_unreachable", "{code}");
    ask(&stage, &format!("http://localhost:{}/echo", address.port()), "").await;
    assert_eq!(stage.done(json!({})).await.summary.status, Status::Completed);
}

async fn a_service_that_does_not_answer_in_time_is_given_up(scene: Scene) {
    let (stage, address) = (stage(&scene, "", "").await, serve().await);
    ask(&stage, &format!("http://{address}/silent"), "wall_s = 1").await;
    let id = stage.hub.sortie(&["task", "submit", TYPE, "--node", "north", "--max-retries", "0"]).well().stdout;
    let task = stage.hub.ended(id.trim().parse().expect("an id")).await;
    assert_eq!(task.summary.code.expect("a code").0, "over_wall_time");
}

async fn headers_of_the_site_are_sent_and_seen_nowhere(scene: Scene) {
    let (stage, address) = (stage(&scene, "", "").await, serve().await);
    let file = stage.site.files().join("headers");
    std::fs::write(&file, "Authorization: Bearer hunter22\n\nX-Ward: seven\n").expect("it is ours");
    ask(&stage, &format!("http://{address}/echo"), &format!("headers_file = {file:?}")).await;
    let task = stage.done(json!({})).await;
    let result = task.result.expect("it completed");
    let head = result["head"].as_str().expect("text").to_lowercase();
    assert!(head.contains("authorization: bearer hunter22") && head.contains("x-ward: seven"), "{head}");
    assert!(!stage.agent.process.log().contains("hunter22"));
    std::fs::write(&file, "no colon\n").expect("it is ours");
    stage.fails(json!({}), "handler_failed", "line 1 is not `Name: value`").await;
}
