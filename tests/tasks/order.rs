//! In which order a node gets its tasks: the urgent first, then the older.

use serde_json::json;
use stories::{Scene, on_both_engines, on_sqlite};

use crate::help::{nap, note, one_slot, submit, with};

on_both_engines!(
    tasks_are_done_in_the_order_in_which_they_were_submitted,
    the_urgent_task_overtakes_those_that_wait,
    a_node_is_not_held_up_by_another_s_queue,
);
on_sqlite!(tasks_of_one_moment_keep_their_order);

async fn tasks_are_done_in_the_order_in_which_they_were_submitted(scene: Scene) {
    let hub = scene.hub().start().await;
    let (site, agent) = one_slot(&hub, "north").await;
    agent.stop().await;
    let lines: Vec<String> = (0..12).map(|index| format!("line {index}")).collect();
    for line in &lines[..6] {
        submit(&hub, note(&site, line)).await;
    }
    let _agent = site.start();
    let mut last = None;
    for line in &lines[6..] {
        last = Some(submit(&hub, note(&site, line)).await);
    }
    hub.ended(last.expect("there was one")).await;
    assert_eq!(site.lines("journal"), lines);
}

async fn the_urgent_task_overtakes_those_that_wait(scene: Scene) {
    let hub = scene.hub().start().await;
    let (site, agent) = one_slot(&hub, "north").await;
    agent.stop().await;
    let mut ids = Vec::new();
    for (line, priority) in [("c", 0), ("e", -5), ("a", 100), ("d", 0), ("f", -100), ("b", 1)] {
        ids.push(submit(&hub, with(note(&site, line), "priority", json!(priority))).await);
    }
    let _agent = site.start();
    for id in ids {
        hub.ended(id).await;
    }
    assert_eq!(site.lines("journal"), ["a", "b", "c", "d", "e", "f"]);
}

async fn a_node_is_not_held_up_by_another_s_queue(scene: Scene) {
    let hub = scene.hub().start().await;
    let (_busy, _agent) = one_slot(&hub, "busy").await;
    let (_idle, _other) = one_slot(&hub, "idle").await;
    let mut long = Vec::new();
    for _ in 0..3 {
        long.push(hub.submit("busy", "sleep", json!({ "ms": 3_600_000 })).await);
    }
    for _ in 0..3 {
        let done = hub.submit("idle", "sleep", json!({ "ms": 0 })).await;
        assert_eq!(hub.ended(done).await.summary.status.as_str(), "completed");
    }
    for id in long {
        assert!(!hub.task(id).await.summary.status.is_terminal());
    }
}

async fn tasks_of_one_moment_keep_their_order(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let people = hub.people();
    let mut submitted = Vec::new();
    for _ in 0..100 {
        let answer = people.submit(&crate::help::task(nap("north")), None).await.expect("it is in order");
        submitted.push(answer.id);
    }
    let taken: Vec<_> = node.wait(100, 20).await.tasks.iter().map(|task| task.id).collect();
    assert_eq!(taken, submitted);
}
