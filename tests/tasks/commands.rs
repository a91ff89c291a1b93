//! `sortie task …` and `sortie event list`: what they print, and with which code they end.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use stories::{Ended, HandNode, Program, RunningHub, Scene, on_sqlite, until};

use crate::help::{nap, submit};

on_sqlite!(
    a_submission_prints_the_id_and_one_that_waits_the_result,
    a_refused_submission_ends_with_3_and_points_at_the_fault,
    a_wait_for_what_does_not_complete_ends_with_5,
    a_wait_that_lasts_too_long_ends_with_6_and_the_task_goes_on,
    a_wait_that_is_interrupted_ends_with_130_and_the_task_goes_on,
    a_watch_tells_each_event_and_then_the_end,
    tasks_are_shown_and_listed,
    tasks_are_cancelled_and_requeued,
    events_are_listed,
    a_key_submits_once_and_payloads_come_from_files_and_stdin,
    a_command_that_was_typed_wrongly_ends_with_2_and_one_without_a_hub_with_4,
);

fn command(hub: &RunningHub<'_>, words: &[&str]) -> std::process::Command {
    let mut command = Program::Sortie.command();
    command.args(words).arg("--data").arg(hub.data()).stdin(Stdio::null());
    command
}

fn sortie(hub: &RunningHub<'_>, words: &[&str]) -> Ended {
    Ended::of(&mut command(hub, words))
}

/// The same with `--json`: what it printed.
fn sortie_json(hub: &RunningHub<'_>, words: &[&str]) -> Value {
    let ended = Ended::of(command(hub, words).arg("--json"));
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {ended:?}"))
}

#[track_caller]
fn ends_with(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not said: {ended:?}");
    }
}

async fn a_submission_prints_the_id_and_one_that_waits_the_result(scene: Scene) {
    let hub = scene.hub().start().await;
    let _agent = hub.site("north").await.start();
    let ended = sortie(&hub, &["task", "submit", "sleep", "--node", "north", "--payload", r#"{"ms":0}"#]).well();
    let id = ended.stdout.trim().parse().expect("the id and nothing else");
    assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
    let waiting = ["task", "submit", "sleep", "--node", "north", "--payload", r#"{"ms":1,"note":"hello"}"#, "--wait"];
    let result: Value = serde_json::from_str(&sortie(&hub, &waiting).well().stdout).expect("the result alone");
    assert_eq!(result["note"], "hello");
    let task = sortie_json(&hub, &waiting);
    assert_eq!((&task["status"], &task["result"]["note"]), (&json!("completed"), &json!("hello")));
    let submitted = sortie_json(&hub, &["task", "submit", "sys.info", "--node", "north"]);
    assert!(submitted["id"].is_string() && submitted["status"].is_string(), "{submitted}");
}

async fn a_refused_submission_ends_with_3_and_points_at_the_fault(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let words = ["task", "submit", "sleep", "--node", "north", "--payload", r#"{"ms":"long"}"#];
    let refused = sortie(&hub, &words);
    ends_with(&refused, 3, &["/payload/ms", "payload_invalid (422)", "sortie task types"]);
    assert_eq!(refused.stdout, "");
    let refused = Ended::of(command(&hub, &words).arg("--json"));
    let said: Value = serde_json::from_str(&refused.stderr).expect("a failure is one JSON object");
    assert_eq!((&said["exit"], &said["problem"]["code"]), (&json!(3), &json!("payload_invalid")));
    ends_with(&sortie(&hub, &["task", "submit", "sleep", "--node", "south"]), 3, &["unknown_node (404)", "/node"]);
    ends_with(&sortie(&hub, &["task", "submit", "slep", "--node", "north"]), 3, &["unknown_task_type", "sleep"]);
    let nobody = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";
    for verb in ["show", "watch", "cancel", "requeue"] {
        ends_with(&sortie(&hub, &["task", verb, nobody]), 3, &["unknown_task (404)"]);
    }
    assert_eq!(crate::help::traces(&hub).await, (0, 0));
}

async fn a_wait_for_what_does_not_complete_ends_with_5(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    site.set_policy("default = \"refuse\"\n");
    let _agent = site.start();
    let ended = sortie(&hub, &["task", "submit", "sys.info", "--node", "north", "--wait"]);
    ends_with(&ended, 5, &["rejected", "type_not_allowed", "sortie task show"]);
    let id = submit(&hub, nap("north")).await.to_string();
    ends_with(&sortie(&hub, &["task", "watch", &id]), 5, &["rejected"]);
}

async fn a_wait_that_lasts_too_long_ends_with_6_and_the_task_goes_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let words = ["task", "submit", "sys.info", "--node", "north", "--wait", "--timeout", "200ms"];
    ends_with(&sortie(&hub, &words), 6, &["the task goes on", "sortie task watch"]);
    let id = submit(&hub, nap("north")).await;
    ends_with(&sortie(&hub, &["task", "watch", &id.to_string(), "--timeout", "100ms"]), 6, &["the task goes on"]);
    assert_eq!(hub.task(id).await.summary.status, Status::Pending);
}

async fn a_wait_that_is_interrupted_ends_with_130_and_the_task_goes_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let mut watch = command(&hub, &["task", "watch", &id.to_string(), "--json"]);
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
    let mut watch = command(&hub, &["task", "watch", &id.to_string(), "--json"]);
    let watching = tokio::task::spawn_blocking(move || Ended::of(&mut watch));
    let held = node.take_one().await;
    node.report(&HandNode::completed(&held, json!({ "slept_ms": 4 }))).await.expect("it is taken");
    let ended = watching.await.expect("it ends").well();
    let lines: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).expect("one object per line")).collect();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(kinds, ["task.submitted", "task.claimed", "task.completed"]);
    assert_eq!(lines[3]["result"], json!({ "slept_ms": 4 }));
    let told = sortie(&hub, &["task", "watch", &id.to_string()]).well();
    let places: Vec<_> = kinds.iter().map(|kind| told.stdout.find(kind).expect("it is told")).collect();
    assert!(places.is_sorted() && told.stdout.contains("slept_ms"), "{told:?}");
}

async fn tasks_are_shown_and_listed(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let done = submit(&hub, nap("north")).await.to_string();
    node.report(&HandNode::failed(&node.take_one().await, "broken", false)).await.expect("it is taken");
    let waits = submit(&hub, nap("north")).await.to_string();
    let shown = sortie(&hub, &["task", "show", &done]).well().stdout;
    for word in [done.as_str(), "sleep", "north", "failed", "broken", "\"ms\": 0"] {
        assert!(shown.contains(word), "`{word}` is not shown:\n{shown}");
    }
    assert_eq!(sortie_json(&hub, &["task", "show", &done])["code"], "broken");
    let listed = sortie(&hub, &["task", "list"]).well().stdout;
    assert!(listed.find(&waits) < listed.find(&done) && listed.contains(&done), "newest first:\n{listed}");
    let failed = sortie_json(&hub, &["task", "list", "--status", "failed,rejected", "--node", "north"]);
    assert_eq!((failed["items"].as_array().map(Vec::len), &failed["items"][0]["id"]), (Some(1), &json!(done)));
    assert_eq!(sortie_json(&hub, &["task", "list", "--dead"])["items"], json!([]));
    let first = Ended::of(command(&hub, &["task", "list", "--limit", "1"]).arg("--json")).well();
    let first: Value = serde_json::from_str(&first.stdout).expect("JSON");
    assert_eq!(first["next"], json!(waits));
    assert_eq!(sortie_json(&hub, &["task", "list", "--all"])["items"].as_array().map(Vec::len), Some(2));
    ends_with(&sortie(&hub, &["task", "list", "--status", "done"]), 2, &["pending"]);
    let types = sortie(&hub, &["task", "types"]).well().stdout;
    assert!(
        ["sys.info", "file.checksum", "file.append", "http.check", "sleep"].iter().all(|name| types.contains(name))
    );
    assert_eq!(sortie_json(&hub, &["task", "types", "sleep"])["payload_schema"]["required"], json!(["ms"]));
    ends_with(&sortie(&hub, &["task", "types", "sleeep"]), 3, &["did you mean `sleep`?"]);
}

async fn tasks_are_cancelled_and_requeued(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let text = id.to_string();
    ends_with(&sortie(&hub, &["task", "requeue", &text]), 3, &["not_requeueable (409)"]);
    sortie(&hub, &["task", "cancel", &text]).well();
    assert_eq!(hub.task(id).await.summary.status, Status::Cancelled);
    ends_with(&sortie(&hub, &["task", "cancel", &text]), 3, &["task_ended (409)"]);
    assert_eq!(sortie_json(&hub, &["task", "requeue", &text])["run"], 2);
    assert_eq!(node.take_one().await.run, 2);
    let asked = sortie(&hub, &["task", "cancel", &text]).well();
    assert!(asked.stderr.contains("`north` is asked to stop"), "{asked:?}");
}

async fn events_are_listed(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await.to_string();
    sortie(&hub, &["task", "cancel", &id]).well();
    let table = sortie(&hub, &["event", "list", "--task", &id]).well().stdout;
    assert!(table.find("task.submitted") < table.find("task.cancelled"), "oldest first:\n{table}");
    let all = sortie_json(&hub, &["event", "list", "--all"]);
    let numbers: Vec<_> =
        all["items"].as_array().expect("a list").iter().map(|event| event["number"].as_u64()).collect();
    assert!(numbers.is_sorted() && numbers.len() >= 4, "{all}");
    let from = (numbers[numbers.len() - 2]).expect("a number").to_string();
    let later = sortie_json(&hub, &["event", "list", "--after", &from]);
    assert_eq!(
        (later["items"].as_array().map(Vec::len), &later["items"][0]["kind"]),
        (Some(1), &json!("task.cancelled"))
    );
    ends_with(&sortie(&hub, &["event", "list", "--kind", "volcano"]), 0, &["Nothing"]);
    ends_with(&sortie(&hub, &["event", "list", "--node", "south"]), 3, &["unknown_node"]);
}

async fn a_key_submits_once_and_payloads_come_from_files_and_stdin(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let file = scene.folder().join("job.json");
    std::fs::write(&file, r#"{ "ms": 17 }"#).expect("the story's folder can be written");
    let from_file = format!("@{}", file.display());
    let words = ["task", "submit", "sleep", "--node", "north", "--key", "nightly", "--payload", &from_file];
    let (first, second) = (sortie(&hub, &words).well(), sortie(&hub, &words).well());
    assert_eq!(first.stdout, second.stdout);
    let task = hub.task(first.stdout.trim().parse().expect("an id")).await;
    assert_eq!(task.payload, json!({ "ms": 17 }));

    let mut piped = command(&hub, &["task", "submit", "sleep", "--node", "north", "--payload", "-"]);
    piped.stdin(std::fs::File::open(&file).expect("it is there"));
    let id = Ended::of(&mut piped).well().stdout.trim().parse().expect("an id");
    assert_eq!(hub.task(id).await.payload, json!({ "ms": 17 }));
    assert_eq!(crate::help::traces(&hub).await, (2, 2));
    for (payload, word) in [("{", "JSON"), ("@/nonexistent", "/nonexistent")] {
        let words = ["task", "submit", "sleep", "--node", "north", "--payload", payload];
        ends_with(&sortie(&hub, &words), 2, &[word]);
    }
}

async fn a_command_that_was_typed_wrongly_ends_with_2_and_one_without_a_hub_with_4(scene: Scene) {
    let mut hub = scene.hub().start().await;
    for words in [
        &["task", "show", "north"][..],
        &["task", "submit", "sleep"],
        &["task", "submit", "sleep", "--node", "north", "--priority", "101"],
        &["task", "submit", "sleep", "--node", "north", "--not-before", "tomorrow"],
        &["task", "submit", "sleep", "--node", "north", "--timeout", "1m"],
        &["task", "frobnicate"],
        &["event", "list", "--after", "yesterday"],
    ] {
        ends_with(&sortie(&hub, words), 2, &["error"]);
    }
    hub.process().signal(Signal::KILL);
    until("the hub is gone", async || hub.process().ended()).await;
    for words in [&["task", "list"][..], &["task", "submit", "sys.info", "--node", "north"], &["event", "list"]] {
        ends_with(&sortie(&hub, words), 4, &["cannot be reached"]);
    }
}
