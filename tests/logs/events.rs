//! Streams of server-sent events, read by curl, and `sortie event tail`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use stories::{HandNode, RunningHub, Scene, on_both_engines, on_sqlite};

on_both_engines!(events_are_streamed_as_they_happen_and_go_on_after_a_break);
on_sqlite!(
    a_log_is_streamed_to_its_end,
    the_tail_of_events_outlives_a_restart_of_the_hub,
    streams_have_their_limit_and_bad_ones_are_refused_at_once,
    a_stream_ends_with_the_token_it_was_begun_with,
);

/// A program that prints a stream. Dropped, it is ended.
struct Stream(Child, BufReader<std::process::ChildStdout>);

impl Stream {
    fn start(mut command: Command) -> Stream {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it can be started");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Stream(child, stdout)
    }

    /// curl, on a path of the hub.
    fn curl(hub: &RunningHub<'_>, path: &str, last_id: Option<&str>) -> Stream {
        Stream::curl_as(hub, &hub.admin_token(), path, last_id)
    }

    /// The same with this token.
    fn curl_as(hub: &RunningHub<'_>, token: &str, path: &str, last_id: Option<&str>) -> Stream {
        let mut command = Command::new("curl");
        command.args(["-sSN", "--noproxy", "*", "--cacert"]).arg(hub.ca_file());
        command.args(["-H", &format!("Authorization: Bearer {token}")]);
        command.args(last_id.map(|id| format!("-HLast-Event-ID: {id}")));
        command.arg(format!("{}{path}", hub.url()));
        Stream::start(command)
    }

    /// The next line that is not empty and no comment.
    fn line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.1.read_line(&mut line).expect("text") == 0 {
                return None;
            }
            let line = line.trim_end();
            if !line.is_empty() && !line.starts_with(':') {
                return Some(line.to_owned());
            }
        }
    }

    /// The next event: its name, its id and its data.
    fn event(&mut self) -> (String, String, Value) {
        let mut field = |name: &str| {
            let line = self.line().expect("the stream goes on");
            line.strip_prefix(name).unwrap_or_else(|| panic!("{name} is not in {line}")).trim().to_owned()
        };
        let (event, id) = (field("event:"), field("id:"));
        (event, id, serde_json::from_str(&field("data:")).expect("JSON"))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

async fn events_are_streamed_as_they_happen_and_go_on_after_a_break(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let mut stream = Stream::curl(&hub, "/api/v1/events/stream?kind=task&after=0", None);
    let first = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let (name, id, event) = stream.event();
    assert_eq!((name.as_str(), &event["kind"], &event["task"]), ("event", &json!("task.submitted"), &json!(first)));
    assert_eq!(id, event["number"].to_string());
    drop(stream);
    node.take_one().await;
    let mut stream = Stream::curl(&hub, "/api/v1/events/stream?kind=task", Some(&id));
    assert_eq!(stream.event().2["kind"], "task.claimed");
}

async fn a_log_is_streamed_to_its_end(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let held = node.take_one().await;
    let mut stream = Stream::curl(&hub, &format!("/api/v1/tasks/{id}/log/stream"), None);
    for (offset, data) in [(0, "aGVs"), (3, "bG8=")] {
        let piece = json!({ "pieces": [{ "task": id, "run": 1, "offset": offset, "data": data }] });
        assert_eq!(node.request(http::Method::POST, "/logs").json(&piece).send().await.status, 200);
        let (name, at, part) = stream.event();
        assert_eq!((name.as_str(), at, &part["data"]), ("log", part["next"].to_string(), &json!(data)));
    }
    let result = HandNode::completed(&held, json!({ "slept_ms": 0 }));
    node.report(&sortie_wire::results::RunResult { log_bytes: 5, ..result }).await.expect("it is taken");
    let (name, _, part) = stream.event();
    assert_eq!((name.as_str(), &part["complete"]), ("end", &json!(true)));
    assert_eq!(stream.line(), None, "the stream ends with the log");
}

async fn the_tail_of_events_outlives_a_restart_of_the_hub(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let mut command = hub.command(&["event", "tail", "--json", "--kind", "task.submitted", "--from", "0"]);
    command.env("NO_COLOR", "1");
    let mut tail = Stream::start(command);
    let next = |tail: &mut Stream| -> Value { serde_json::from_str(&tail.line().expect("it goes on")).expect("JSON") };
    let first = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    assert_eq!(next(&mut tail)["task"], json!(first));
    let hub = hub.kill().await.start().await;
    let second = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    assert_eq!(next(&mut tail)["task"], json!(second));
}

async fn streams_have_their_limit_and_bad_ones_are_refused_at_once(scene: Scene) {
    let hub = scene.hub().start().await;
    let get = |path: &str| hub.request(http::Method::GET, path);
    assert_eq!(get("/api/v1/events/stream?node=nobody").send().await.json()["code"], "unknown_node");
    let none = "/api/v1/tasks/01980c5e-7d1a-7c3e-9b7e-0123456789ab/log/stream";
    assert_eq!(get(none).send().await.json()["code"], "unknown_task");
    let _node = hub.hand_node("north").await;
    let mut held: Vec<Stream> =
        (0..20).map(|_| Stream::curl(&hub, "/api/v1/events/stream?after=0&kind=node", None)).collect();
    held.iter_mut().for_each(|stream| drop(stream.event()));
    let refused = get("/api/v1/events/stream").send().await.json();
    assert_eq!((&refused["code"], &refused["status"]), (&json!("rate_limited"), &json!(429)));
    held.clear();
    let mut again = stories::until("a seat is free again", async || {
        let mut stream = Stream::curl(&hub, "/api/v1/events/stream?after=0&kind=node", None);
        stream.line().filter(|line| line == "event: event").map(|_| stream)
    })
    .await;
    assert!(again.line().is_some());
}

async fn a_stream_ends_with_the_token_it_was_begun_with(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let made = hub.sortie_json(&["token", "create", "--name", "watcher", "--role", "viewer"]);
    let token = made["token"].as_str().expect("it is shown once");
    let mut stream = Stream::curl_as(&hub, token, "/api/v1/events/stream?kind=task&after=0", None);
    hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    assert_eq!(stream.event().2["kind"], "task.submitted");
    hub.sortie(&["token", "revoke", made["details"]["id"].as_str().expect("an id")]).well();
    hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    assert_eq!(stream.line(), None, "nothing is told to a token that was revoked");
}
