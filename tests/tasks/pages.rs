//! Lists in pages, and what happened in the order in which it happened.

use std::collections::BTreeSet;

use sortie_rules::tasks::Status;
use sortie_wire::events::EventQuery;
use sortie_wire::tasks::{SubmitBatch, TaskQuery, TaskSummary};
use stories::{HandNode, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{nap, submit, task};

on_both_engines!(
    every_task_is_on_one_page_whatever_is_submitted_meanwhile,
    lists_are_narrowed,
    a_task_s_events_tell_its_life_in_order,
    every_event_is_on_one_page,
);
on_sqlite!(a_page_has_a_hundred_rows_unless_asked_otherwise);

async fn list(hub: &RunningHub<'_>, query: TaskQuery) -> Vec<TaskSummary> {
    hub.people().tasks(&query).await.expect("a list").items
}

async fn every_task_is_on_one_page_whatever_is_submitted_meanwhile(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let people = hub.people();
    let batch = SubmitBatch { tasks: vec![task(nap("north")); 130] };
    let submitted = people.submit_batch(&batch, None).await.expect("it is in order").tasks;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = people.tasks(&TaskQuery { limit: Some(40), after, ..TaskQuery::default() }).await.expect("a page");
        seen.extend(page.items.iter().map(|task| task.id));
        let Some(next) = page.next else { break };
        after = Some(next.parse().expect("a task list goes on after a task"));
        people.submit(&task(nap("north")), None).await.expect("it is in order");
    }
    let newest_first: Vec<_> = submitted.iter().rev().map(|task| task.id).collect();
    assert_eq!(seen, newest_first);
}

async fn a_page_has_a_hundred_rows_unless_asked_otherwise(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let batch = SubmitBatch { tasks: vec![task(nap("north")); 1000] };
    hub.people().submit_batch(&batch, None).await.expect("it is in order");
    let first = hub.people().tasks(&TaskQuery::default()).await.expect("a page");
    assert_eq!((first.items.len(), first.next), (100, Some(first.items[99].id.to_string())));
    let whole = hub.people().tasks(&TaskQuery { limit: Some(1000), ..TaskQuery::default() }).await.expect("a page");
    assert_eq!((whole.items.len(), whole.next), (1000, None));
}

async fn lists_are_narrowed(scene: Scene) {
    let hub = scene.hub().start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let done = submit(&hub, nap("north")).await;
    north
        .report(&HandNode::completed(&north.take_one().await, serde_json::json!({ "slept_ms": 0 })))
        .await
        .expect("it is taken");
    let failed = submit(&hub, nap("north")).await;
    north.report(&HandNode::failed(&north.take_one().await, "broken", false)).await.expect("it is taken");
    let held = hub.submit("south", "sys.info", serde_json::json!({})).await;
    assert_eq!(south.take_one().await.id, held);
    let waits = submit(&hub, nap("south")).await;
    let ids = async |query| list(&hub, query).await.iter().map(|task| task.id).collect::<Vec<_>>();
    let plain = TaskQuery::default;
    assert_eq!(ids(plain()).await, [waits, held, failed, done]);
    assert_eq!(ids(TaskQuery { node: Some("north".into()), ..plain() }).await, [failed, done]);
    assert_eq!(ids(TaskQuery { node: Some(south.id.to_string()), ..plain() }).await, [waits, held]);
    assert_eq!(ids(TaskQuery { type_name: Some("sys.info".into()), ..plain() }).await, [held]);
    assert_eq!(ids(TaskQuery { type_name: Some("http.check".into()), ..plain() }).await, []);
    for (words, expected) in [
        ("pending", vec![waits]),
        ("in_progress", vec![held]),
        ("completed,failed", vec![failed, done]),
        ("failed,pending", vec![waits, failed]),
        ("cancelled,expired,rejected", vec![]),
    ] {
        assert_eq!(ids(TaskQuery { status: Some(words.into()), ..plain() }).await, expected, "{words}");
    }
    let both = TaskQuery { node: Some("north".into()), status: Some("failed".into()), ..plain() };
    assert_eq!(ids(both).await, [failed]);
    assert_eq!(ids(TaskQuery { dead: true, ..plain() }).await, [], "none was given up on");
    let whole = list(&hub, plain()).await;
    let statuses: Vec<_> = whole.iter().map(|task| (task.status, task.node_name.as_str())).collect();
    assert_eq!(
        statuses,
        [
            (Status::Pending, "south"),
            (Status::InProgress, "south"),
            (Status::Failed, "north"),
            (Status::Completed, "north")
        ]
    );
}

async fn a_task_s_events_tell_its_life_in_order(scene: Scene) {
    let hub = scene.hub().start().await;
    let _agent = hub.site("north").await.start();
    let first = submit(&hub, nap("north")).await;
    let id = submit(&hub, nap("north")).await;
    hub.ended(first).await;
    let node = hub.ended(id).await.summary.node;
    let all = hub.events("task").await;
    let of_it: Vec<_> = all.iter().filter(|event| event.task == Some(id)).cloned().collect();
    let query = EventQuery { task: Some(id), after: Some(0), ..EventQuery::default() };
    assert_eq!(hub.people().events(&query).await.expect("a page").items, of_it);
    let me = hub.people().whoami().await.expect("the token is good").name;
    let told: Vec<_> = of_it.iter().map(|event| (event.kind.as_str(), event.actor.as_str(), event.node)).collect();
    assert_eq!(
        told,
        [
            ("task.submitted", me.as_str(), Some(node)),
            ("task.claimed", "hub", Some(node)),
            ("task.completed", "north", Some(node)),
        ]
    );
    assert!(of_it.is_sorted_by(|one, next| one.number < next.number && one.at <= next.at));
    assert_eq!((&of_it[1].data["attempt"], &of_it[2].data["run"]), (&1.into(), &1.into()));
}

async fn every_event_is_on_one_page(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let batch = SubmitBatch { tasks: vec![task(nap("north")); 25] };
    hub.people().submit_batch(&batch, None).await.expect("it is in order");
    let all = hub.events("task").await;
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        let kind = Some("task".to_owned());
        let query = EventQuery { after: Some(after), kind, limit: Some(7), ..EventQuery::default() };
        let page = hub.people().events(&query).await.expect("a page");
        after = page.next.expect("there is always a place to go on from").parse().expect("a number");
        if page.items.is_empty() {
            break;
        }
        seen.extend(page.items);
    }
    assert_eq!((seen.len(), &seen), (25, &all));
    let numbers: BTreeSet<u64> = seen.iter().map(|event| event.number).collect();
    assert_eq!(numbers.len(), 25);
    let newest = EventQuery { kind: Some("task".into()), limit: Some(3), ..EventQuery::default() };
    assert_eq!(hub.people().events(&newest).await.expect("a page").items, all[22..], "the newest, newest last");
    for (kind, count) in [("task.submitted", 25), ("task.claimed", 0), ("tas", 0), ("node", 1), ("node.enrolled", 1)] {
        assert_eq!(hub.events(kind).await.len(), count, "{kind}");
    }
}
