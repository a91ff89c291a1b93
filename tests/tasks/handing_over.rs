//! How a task gets to its node: at once into an open wait, and never more than there is room for.

use std::cell::Cell;

use http::Method;
use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_wire::deliveries::WaitQuery;
use stories::{HandNode, Scene, on_both_engines, on_sqlite, until};

use crate::help::{nap, note, post, submit, task};

on_both_engines!(
    a_task_goes_at_once_to_an_agent_that_waits,
    a_batch_fills_the_room_of_an_open_wait_and_the_rest_follows,
    what_many_submit_at_once_is_done_once_each,
    large_tasks_are_spread_over_deliveries_that_can_be_read,
);
on_sqlite!(
    an_acknowledgement_beyond_all_counting_is_refused,
    a_wait_without_room_gets_nothing,
    a_delivery_that_got_lost_comes_again_under_the_same_attempt
);

async fn a_task_goes_at_once_to_an_agent_that_waits(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let handed_over = Cell::new(None);
    let submitting = async {
        // A submission may come before the wait is held; one of them meets it.
        let id = until("a submission says that its task was handed over", async || {
            let answer = hub.people().submit(&task(nap("north")), None).await.expect("it is in order");
            (answer.status == Status::InProgress).then_some(answer.id)
        });
        handed_over.set(Some(id.await));
    };
    let waiting = async {
        let mut taken = Vec::new();
        while handed_over.get().is_none_or(|id| !taken.contains(&(id, 1))) {
            taken.extend(node.wait(1, 1).await.tasks.iter().map(|task| (task.id, task.attempt)));
        }
    };
    tokio::join!(submitting, waiting);
}

async fn a_batch_fills_the_room_of_an_open_wait_and_the_rest_follows(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    assert!(node.wait(1, 0).await.tasks.is_empty());
    let batch = json!({ "tasks": vec![nap("north"); 5] });
    let (first, answer) = tokio::join!(node.wait(3, 20), post(&hub, "/api/v1/tasks/batch", &batch));
    let order: Vec<String> =
        answer.json()["tasks"].as_array().expect("a list").iter().map(|task| task["id"].to_string()).collect();
    let second = node.wait(3, 20).await;
    let taken = first.tasks.iter().chain(&second.tasks).map(|task| format!("\"{}\"", task.id));
    assert!(taken.eq(order.iter().cloned()), "in the order of the batch: {order:?}");
    assert_eq!((first.tasks.len(), second.tasks.len()), (3, 2));
    assert!(second.number > first.number);
}

async fn what_many_submit_at_once_is_done_once_each(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let submitters = (0..8).map(|submitter| {
        let people = hub.people();
        let lines: Vec<_> = (0..8).map(|index| task(note(&site, &format!("{submitter} {index}")))).collect();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            for line in lines {
                ids.push(people.submit(&line, None).await.expect("it is in order").id);
            }
            ids
        })
    });
    for submitter in submitters.collect::<Vec<_>>() {
        for id in submitter.await.expect("it submits all") {
            assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
        }
    }
    let mut lines = site.lines("journal");
    lines.sort_unstable();
    let all = (0..8).flat_map(|submitter| (0..8).map(move |index| format!("{submitter} {index}")));
    assert!(lines.iter().cloned().eq(all), "each line is there once: {lines:?}");
}

async fn large_tasks_are_spread_over_deliveries_that_can_be_read(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let large = format!(r#"{{"type":"sleep","node":"north","payload":{{"ms":0{}}}}}"#, " ".repeat((1 << 20) - 8));
    let batch = format!(r#"{{"tasks":[{}]}}"#, vec![large; 15].join(","));
    let submitting = async {
        let request = hub.request(Method::POST, "/api/v1/tasks/batch").body("application/json", batch);
        assert_eq!(request.send().await.status, 201);
    };
    let taking = async {
        let mut taken = 0;
        while taken < 15 {
            let tasks = node.wait(100, 20).await.tasks;
            assert!(tasks.len() <= 8, "a delivery carries 8 MiB at most");
            taken += tasks.len();
        }
    };
    tokio::join!(submitting, taking);
}

async fn an_acknowledgement_beyond_all_counting_is_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let beyond = WaitQuery { ack: u64::MAX, ..node.next_wait(5, 0) };
    let refused = node.try_wait(&beyond).await.expect_err("it is refused").to_string();
    assert!(refused.contains("malformed_parameter"), "{refused}");
    assert_eq!(node.take_one().await.id, id, "the line is as it was");
}

async fn a_wait_without_room_gets_nothing(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    assert!(node.wait(0, 0).await.tasks.is_empty());
    assert_eq!(hub.task(id).await.summary.status, Status::Pending);
    assert_eq!(node.wait(1, 5).await.tasks[0].id, id);
}

async fn a_delivery_that_got_lost_comes_again_under_the_same_attempt(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let lost = node.try_wait(&node.next_wait(5, 5)).await.expect("it is answered");
    let again = node.wait(5, 5).await;
    let key = |tasks: &[sortie_wire::deliveries::HandedTask]| {
        tasks.iter().map(|task| (task.id, task.run, task.attempt)).collect::<Vec<_>>()
    };
    assert_eq!((key(&lost.tasks), key(&again.tasks)), (vec![(id, 1, 1)], vec![(id, 1, 1)]));
    node.report(&HandNode::completed(&again.tasks[0], json!({ "slept_ms": 0 }))).await.expect("it is taken");
    assert!(node.wait(5, 0).await.tasks.is_empty());
    assert_eq!(
        hub.request(Method::GET, "/api/v1/tasks?status=completed").send().await.json()["items"][0]["attempt"],
        1
    );
}
