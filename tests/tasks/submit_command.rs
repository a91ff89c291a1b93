//! `sortie task submit` and `watch`: what they print, and with which code they end.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use stories::{Ended, HandNode, Scene, on_sqlite};

use crate::help::{ends_with, nap, submit, traces};

on_sqlite!(
    a_submission_prints_the_id_and_one_that_waits_the_result,
    a_refused_submission_ends_with_3_and_points_at_the_fault,
    a_key_submits_once_and_payloads_come_from_files_and_stdin,
    a_wait_for_what_does_not_complete_ends_with_5,
    a_wait_that_lasts_too_long_ends_with_6_and_the_task_goes_on,
    a_wait_that_is_interrupted_ends_with_130_and_the_task_goes_on,
    a_watch_tells_each_event_and_then_the_end,
);

async fn a_submission_prints_the_id_and_one_that_waits_the_result(scene: Scene) {
    let hub = scene.hub().start().await;
    let _agent = hub.site("north").await.start();
    let ended = hub.sortie(&["task", "submit", "sleep", "--node", "north", "--payload", r#"{"ms":0}"#]).well();
    let id = ended.stdout.trim().parse().expect("the id and nothing else");
    assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
    let waiting = ["task", "submit", "sleep", "--node", "north", "--payload", r#"{"ms":1,"note":"hello"}"#, "--wait"];
    let result: Value = serde_json::from_str(&hub.sortie(&waiting).well().stdout).expect("the result alone");
    assert_eq!(result["note"], "hello");
    let task = hub.sortie_json(&waiting);
    assert_eq!((&task["status"], &task["result"]["note"]), (&json!("completed"), &json!("hello")));
    let submitted = hub.sortie_json(&["task", "submit", "sys.info", "--node", "north"]);
    assert!(submitted["id"].is_string() && submitted["status"].is_string(), "{submitted}");
}

async fn a_refused_submission_ends_with_3_and_points_at_the_fault(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let words = ["task", "submit", "sleep", "--node", "north", "--payload", r#"{"ms":"long"}"#];
    let refused = hub.sortie(&words);
    ends_with(&refused, 3, &["/payload/ms", "payload_invalid (422)", "sortie task types"]);
    assert_eq!(refused.stdout, "");
    let refused = Ended::of(hub.command(&words).arg("--json"));
    let said: Value = serde_json::from_str(&refused.stderr).expect("a failure is one JSON object");
    assert_eq!((&said["exit"], &said["problem"]["code"]), (&json!(3), &json!("payload_invalid")));
    ends_with(&hub.sortie(&["task", "submit", "sleep", "--node", "south"]), 3, &["unknown_node (404)", "/node"]);
    ends_with(&hub.sortie(&["task", "submit", "slep", "--node", "north"]), 3, &["unknown_task_type", "sleep"]);
    let nobody = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";
    for verb in ["show", "watch", "cancel", "requeue"] {
        ends_with(&hub.sortie(&["task", verb, nobody]), 3, &["unknown_task (404)"]);
    }
    assert_eq!(traces(&hub).await, (0, 0));
}

async fn a_key_submits_once_and_payloads_come_from_files_and_stdin(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let file = scene.folder().join("job.json");
    std::fs::write(&file, r#"{ "ms": 17 }"#).expect("the story's folder can be written");
    let from_file = format!("@{}", file.display());
    let words = ["task", "submit", "sleep", "--node", "north", "--key", "nightly", "--payload", &from_file];
    let (first, second) = (hub.sortie(&words).well(), hub.sortie(&words).well());
    assert_eq!(first.stdout, second.stdout);
    let task = hub.task(first.stdout.trim().parse().expect("an id")).await;
    assert_eq!(task.payload, json!({ "ms": 17 }));

    let mut piped = hub.command(&["task", "submit", "sleep", "--node", "north", "--payload", "-"]);
    piped.stdin(std::fs::File::open(&file).expect("it is there"));
    let id = Ended::of(&mut piped).well().stdout.trim().parse().expect("an id");
    assert_eq!(hub.task(id).await.payload, json!({ "ms": 17 }));
    assert_eq!(traces(&hub).await, (2, 2));
    for (payload, word) in [("{", "JSON"), ("@/nonexistent", "/nonexistent")] {
        let words = ["task", "submit", "sleep", "--node", "north", "--payload", payload];
        ends_with(&hub.sortie(&words), 2, &[word]);
    }
}

async fn a_wait_for_what_does_not_complete_ends_with_5(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    site.set_policy("default = \"refuse\"\n");
    let _agent = site.start();
    let ended = hub.sortie(&["task", "submit", "sys.info", "--node", "north", "--wait"]);
    ends_with(&ended, 5, &["rejected", "type_not_allowed", "sortie task show"]);
    let id = submit(&hub, nap("north")).await.to_string();
    ends_with(&hub.sortie(&["task", "watch", &id]), 5, &["rejected"]);
}

async fn a_wait_that_lasts_too_long_ends_with_6_and_the_task_goes_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let words = ["task", "submit", "sys.info", "--node", "north", "--wait", "--timeout", "200ms"];
    ends_with(&hub.sortie(&words), 6, &["the task goes on", "sortie task watch"]);
    let id = submit(&hub, nap("north")).await;
    ends_with(&hub.sortie(&["task", "watch", &id.to_string(), "--timeout", "100ms"]), 6, &["the task goes on"]);
    assert_eq!(hub.task(id).await.summary.status, Status::Pending);
}

async fn a_wait_that_is_interrupted_ends_with_130_and_the_task_goes_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let mut watch = hub.command(&["task", "watch", &id.to_string(), "--json"]);
    let mut child = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be started");
    let mut line = String::new();
    let out = child.stdout.take().expect("it is piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("it prints");
    assert!(line.contains("task.submitted"), "{line}");
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id is above 0");
    kill_process(pid, Signal::INT).expect("the process is there");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    assert_eq!(hub.task(id).await.summary.status, Status::Pending);
}

async fn a_watch_tells_each_event_and_then_the_end(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let mut watch = hub.command(&["task", "watch", &id.to_string(), "--json"]);
    let watching = tokio::task::spawn_blocking(move || Ended::of(&mut watch));
    let held = node.take_one().await;
    node.report(&HandNode::completed(&held, json!({ "slept_ms": 4 }))).await.expect("it is taken");
    let ended = watching.await.expect("it ends").well();
    let lines: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).expect("one object per line")).collect();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(kinds, ["task.submitted", "task.claimed", "task.completed"]);
    assert_eq!(lines[3]["result"], json!({ "slept_ms": 4 }));
    let told = hub.sortie(&["task", "watch", &id.to_string()]).well();
    let places: Vec<_> = kinds.iter().map(|kind| told.stdout.find(kind).expect("it is told")).collect();
    assert!(places.is_sorted() && told.stdout.contains("slept_ms"), "{told:?}");
}
