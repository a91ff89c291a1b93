//! The other verbs of `sortie task`, and `sortie event list`.

use rustix::process::Signal;
use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use sortie_wire::results::RunResult;
use stories::{Ended, HandNode, Scene, on_sqlite, until};

use crate::help::{ends_with, nap, submit, with};

on_sqlite!(
    tasks_are_shown_and_listed,
    a_filter_that_names_nothing_is_a_mistake_and_not_an_empty_list,
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
    let shown = hub.sortie(&["task", "show", &done]).well().stdout;
    for word in [done.as_str(), "sleep", "north", "failed", "broken", "\"ms\": 0"] {
        assert!(shown.contains(word), "`{word}` is not shown:\n{shown}");
    }
    assert_eq!(hub.sortie_json(&["task", "show", &done])["code"], "broken");
    let listed = hub.sortie(&["task", "list"]).well().stdout;
    assert!(listed.find(&waits) < listed.find(&done) && listed.contains(&done), "newest first:\n{listed}");
    let failed = hub.sortie_json(&["task", "list", "--status", "failed,rejected", "--node", "north"]);
    assert_eq!((failed["items"].as_array().map(Vec::len), &failed["items"][0]["id"]), (Some(1), &json!(done)));
    assert_eq!(hub.sortie_json(&["task", "list", "--dead"])["items"], json!([]));
    let first = Ended::of(hub.command(&["task", "list", "--limit", "1"]).arg("--json")).well();
    let first: Value = serde_json::from_str(&first.stdout).expect("JSON");
    assert_eq!(first["next"], json!(waits));
    assert_eq!(hub.sortie_json(&["task", "list", "--all"])["items"].as_array().map(Vec::len), Some(2));
    ends_with(&hub.sortie(&["task", "list", "--status", "done"]), 2, &["pending"]);
    let types = hub.sortie(&["task", "types"]).well().stdout;
    assert!(
        ["sys.info", "file.checksum", "file.append", "http.check", "sleep"].iter().all(|name| types.contains(name))
    );
    assert_eq!(hub.sortie_json(&["task", "types", "sleep"])["payload_schema"]["required"], json!(["ms"]));
    ends_with(&hub.sortie(&["task", "types", "sleeep"]), 3, &["did you mean `sleep`?"]);
}

async fn a_filter_that_names_nothing_is_a_mistake_and_not_an_empty_list(scene: Scene) {
    let hub = scene.hub().start().await;
    assert_eq!(hub.sortie_json(&["task", "list", "--type", "sleep"])["items"], json!([]), "a type without tasks");
    ends_with(&hub.sortie(&["task", "list", "--type", "sleeep"]), 3, &["no task type `sleeep`", "known are"]);
    let nobody = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";
    ends_with(&hub.sortie(&["task", "list", "--job", nobody]), 3, &["unknown_job (404)", "sortie job list"]);
}

async fn tasks_are_cancelled_and_requeued(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let text = id.to_string();
    ends_with(&hub.sortie(&["task", "requeue", &text]), 3, &["not_requeueable (409)"]);
    hub.sortie(&["task", "cancel", &text]).well();
    assert_eq!(hub.task(id).await.summary.status, Status::Cancelled);
    ends_with(&hub.sortie(&["task", "cancel", &text]), 3, &["task_ended (409)"]);
    assert_eq!(hub.sortie_json(&["task", "requeue", &text])["run"], 2);
    assert_eq!(node.take_one().await.run, 2);
    let asked = hub.sortie(&["task", "cancel", &text]).well();
    let next = format!("`sortie task watch {text} --data {}`", hub.data().display());
    assert!(asked.stderr.contains(&next), "the next command names the same hub: {asked:?}");
    assert!(asked.stderr.contains("`north` is asked to stop"), "{asked:?}");
}

async fn events_are_listed(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await.to_string();
    hub.sortie(&["task", "cancel", &id]).well();
    let table = hub.sortie(&["event", "list", "--task", &id]).well().stdout;
    assert!(table.find("task.submitted") < table.find("task.cancelled"), "oldest first:\n{table}");
    let all = hub.sortie_json(&["event", "list", "--all"]);
    let numbers: Vec<_> =
        all["items"].as_array().expect("a list").iter().map(|event| event["number"].as_u64()).collect();
    assert!(numbers.is_sorted() && numbers.len() >= 4, "{all}");
    let from = (numbers[numbers.len() - 2]).expect("a number").to_string();
    let later = hub.sortie_json(&["event", "list", "--after", &from]);
    assert_eq!(
        (later["items"].as_array().map(Vec::len), &later["items"][0]["kind"]),
        (Some(1), &json!("task.cancelled"))
    );
    ends_with(&hub.sortie(&["event", "list", "--kind", "volcano"]), 0, &["Nothing"]);
    ends_with(&hub.sortie(&["event", "list", "--node", "south"]), 3, &["unknown_node"]);
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
        ends_with(&hub.sortie(words), 2, &["error"]);
    }
    hub.process().signal(Signal::KILL);
    until("the hub is gone", async || hub.process().ended()).await;
    for words in [&["task", "list"][..], &["task", "submit", "sys.info", "--node", "north"], &["event", "list"]] {
        ends_with(&hub.sortie(words), 4, &["cannot be reached"]);
    }
}

async fn the_end_of_time_can_be_shown(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    for far in [i64::MAX, 253_402_300_800_000] {
        let far = with(with(nap("north"), "not_before", json!(far - 1)), "not_after", json!(far));
        let id = submit(&hub, far).await.to_string();
        assert!(hub.sortie(&["task", "show", &id]).well().stdout.contains("not before"));
    }
    hub.sortie(&["task", "list"]).well();
    let words = ["task", "submit", "sys.info", "--node", "north", "--not-before", "+9223372036854775807ms"];
    hub.sortie(&words).well();
}

async fn an_agent_s_words_do_not_steer_the_terminal(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await.to_string();
    let message = Some("all is\u{1b}[2J well\r\u{9b}1A".to_owned());
    let failed = HandNode::failed(&node.take_one().await, "broken", false);
    node.report(&RunResult { message, ..failed }).await.expect("it is taken");
    for words in [&["task", "show", &id][..], &["task", "list"], &["task", "watch", &id], &["event", "list"]] {
        let told = hub.sortie(words);
        let obeyed = |text: &str| text.chars().any(|letter| letter.is_control() && letter != '\n');
        assert!(!obeyed(&told.stdout) && !obeyed(&told.stderr), "{told:?}");
    }
}
