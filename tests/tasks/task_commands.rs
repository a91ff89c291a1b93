//! The other verbs of `sortie task`, and `sortie event list`.

use rustix::process::Signal;
use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use sortie_wire::results::RunResult;
use stories::{Ended, HandNode, Scene, on_sqlite, until};

use crate::command_line::{command, ends_with, sortie, sortie_json};
use crate::help::{nap, submit, with};

on_sqlite!(
    tasks_are_shown_and_listed,
    tasks_are_cancelled_and_requeued,
    events_are_listed,
    a_command_that_was_typed_wrongly_ends_with_2_and_one_without_a_hub_with_4,
    the_end_of_time_can_be_shown,
    an_agent_s_words_do_not_steer_the_terminal,
);

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

async fn the_end_of_time_can_be_shown(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    for far in [i64::MAX, 253_402_300_800_000] {
        let far = with(with(nap("north"), "not_before", json!(far - 1)), "not_after", json!(far));
        let id = submit(&hub, far).await.to_string();
        assert!(sortie(&hub, &["task", "show", &id]).well().stdout.contains("not before"));
    }
    sortie(&hub, &["task", "list"]).well();
    let words = ["task", "submit", "sys.info", "--node", "north", "--not-before", "+9223372036854775807ms"];
    sortie(&hub, &words).well();
}

async fn an_agent_s_words_do_not_steer_the_terminal(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await.to_string();
    let message = Some("all is\u{1b}[2J well\r\u{9b}1A".to_owned());
    let failed = HandNode::failed(&node.take_one().await, "broken", false);
    node.report(&RunResult { message, ..failed }).await.expect("it is taken");
    for words in [&["task", "show", &id][..], &["task", "list"], &["task", "watch", &id], &["event", "list"]] {
        let told = sortie(&hub, words);
        let obeyed = |text: &str| text.chars().any(|letter| letter.is_control() && letter != '\n');
        assert!(!obeyed(&told.stdout) && !obeyed(&told.stderr), "{told:?}");
    }
}
