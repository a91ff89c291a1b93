//! What a node reports becomes the task's end, once.

use serde_json::json;
use sortie_rules::tasks::{Code, Status};
use sortie_wire::deliveries::HandedTask;
use sortie_wire::results::{OutcomeWord, ResultBatch, RunResult};
use stories::{HandNode, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{nap, submit, with};

on_both_engines!(
    every_outcome_becomes_the_end_that_it_is,
    a_failure_worth_another_try_comes_again_as_a_new_run,
    the_same_result_twice_is_one_result,
    a_batch_of_results_is_judged_one_by_one,
);
on_sqlite!(a_failure_is_tried_again_no_more_often_than_it_may, a_result_of_an_earlier_run_counts_if_it_is_done);

pub(crate) fn plain(task: &HandedTask, outcome: OutcomeWord) -> RunResult {
    RunResult { outcome, code: None, retry: false, ..HandNode::failed(task, "none", false) }
}

async fn kinds(hub: &RunningHub<'_>) -> Vec<String> {
    hub.events("task").await.into_iter().map(|event| event.kind).collect()
}

async fn every_outcome_becomes_the_end_that_it_is(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let message = Some("because".to_owned());
    for (outcome, given, status, code) in [
        (OutcomeWord::Completed, None, Status::Completed, None),
        (OutcomeWord::Failed, Some("disk_full"), Status::Failed, Some("disk_full")),
        (OutcomeWord::Rejected, Some("not_here"), Status::Rejected, Some("not_here")),
        (OutcomeWord::Interrupted, None, Status::Failed, Some(Code::INTERRUPTED)),
        (OutcomeWord::Cancelled, None, Status::Cancelled, Some(Code::CANCELLED)),
    ] {
        let id = submit(&hub, nap("north")).await;
        let held = node.take_one().await;
        let result = match outcome {
            OutcomeWord::Completed => HandNode::completed(&held, json!({ "slept_ms": 0 })),
            _ => RunResult { code: given.map(Code::new), message: message.clone(), ..plain(&held, outcome) },
        };
        assert_eq!(node.report(&result).await.expect("it is taken").refused, None);
        let ended = hub.task(id).await;
        assert_eq!((ended.summary.status, ended.summary.code), (status, code.map(Code::new)), "{outcome:?}");
        assert_eq!(ended.result.is_some(), status == Status::Completed);
        assert!(ended.summary.finished_at.is_some() && ended.summary.lease_until.is_none());
        assert_eq!(ended.summary.message, message.clone().filter(|_| status != Status::Completed));
    }
}

async fn a_failure_worth_another_try_comes_again_as_a_new_run(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let first = node.take_one().await;
    node.report(&HandNode::failed(&first, "busy", true)).await.expect("it is taken");
    let waits = hub.task(id).await.summary;
    assert_eq!((waits.status, waits.run, waits.retries), (Status::Pending, 2, 1));
    assert!(waits.not_before > Some(waits.submitted_at), "it is not tried again at once");
    // Nobody rings again: the wait that is open now is answered when the time has come.
    let second = node.take_one().await;
    assert_eq!((second.id, second.run, second.attempt), (id, 2, 2));
    node.report(&HandNode::completed(&second, json!({ "slept_ms": 0 }))).await.expect("it is taken");
    assert_eq!(hub.task(id).await.summary.status, Status::Completed);
    let seen = kinds(&hub).await;
    assert_eq!(seen, ["task.submitted", "task.claimed", "task.retried", "task.claimed", "task.completed"]);
}

async fn the_same_result_twice_is_one_result(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    for retry in [false, true] {
        submit(&hub, with(nap("north"), "max_retries", json!(1))).await;
        let held = node.take_one().await;
        let result = HandNode::failed(&held, "busy", retry);
        let first = node.report(&result).await.expect("it is taken");
        let events = kinds(&hub).await;
        let batch = ResultBatch { results: vec![result.clone(), result.clone()] };
        let receipts = node.line().results(node.id, &batch).await.expect("it is answered").receipts;
        assert_eq!(receipts, [first.clone(), first.clone()]);
        assert_eq!(node.report(&result).await.expect("it is taken again"), first);
        assert_eq!(kinds(&hub).await, events, "nothing has happened again");
    }
}

async fn a_batch_of_results_is_judged_one_by_one(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    for name in ["north", "north", "north", "south"] {
        submit(&hub, nap(name)).await;
    }
    let (mine, foreign) = (node.wait(3, 5).await.tasks, other.take_one().await);
    let unknown = HandedTask { id: "01980c5e-7d1a-7c3e-9b7e-0123456789ab".parse().expect("an id"), ..mine[0].clone() };
    let results = vec![
        HandNode::completed(&mine[0], json!({ "slept_ms": 0 })),
        HandNode::completed(&unknown, json!({ "slept_ms": 0 })),
        RunResult { retry: true, ..plain(&mine[1], OutcomeWord::Cancelled) },
        HandNode::completed(&foreign, json!({ "slept_ms": 0 })),
        HandNode::failed(&mine[2], "broken", false),
        HandNode::completed(&mine[0], json!({ "slept_ms": 9 })),
    ];
    let keys: Vec<_> = results.iter().map(|result| (result.task, result.run)).collect();
    let receipts = node.line().results(node.id, &ResultBatch { results }).await.expect("it is answered").receipts;
    assert!(receipts.iter().map(|receipt| (receipt.task, receipt.run)).eq(keys), "in the order of the batch");
    let codes: Vec<_> = receipts
        .iter()
        .map(|receipt| receipt.refused.as_ref().map(|problem| (problem.code.as_str(), problem.pointer.as_deref())))
        .collect();
    assert_eq!(
        codes,
        [
            None,
            Some(("unknown_task", None)),
            Some(("field_invalid", Some("/retry"))),
            Some(("not_your_task", None)),
            None,
            Some(("other_result", None)),
        ]
    );
    assert_eq!(hub.task(mine[0].id).await.result, Some(json!({ "slept_ms": 0 })));
    assert_eq!(hub.task(mine[1].id).await.summary.status, Status::InProgress);
    assert_eq!(hub.task(mine[2].id).await.summary.status, Status::Failed);
    assert_eq!(hub.task(foreign.id).await.summary.status, Status::InProgress);
}

async fn a_failure_is_tried_again_no_more_often_than_it_may(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, with(nap("north"), "max_retries", json!(1))).await;
    for run in 1..=2 {
        let held = node.take_one().await;
        assert_eq!(held.run, run);
        node.report(&HandNode::failed(&held, "busy", true)).await.expect("it is taken");
    }
    let ended = hub.task(id).await.summary;
    assert_eq!((ended.status, ended.code, ended.retries), (Status::Failed, Some(Code::new("busy")), 1));
}

async fn a_result_of_an_earlier_run_counts_if_it_is_done(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let first = node.take_one().await;
    node.report(&HandNode::failed(&first, "broken", false)).await.expect("it is taken");
    hub.people().requeue_task(id).await.expect("a failed task can be requeued");
    let second = node.take_one().await;
    assert_eq!(second.run, 2);
    // What did not complete in an earlier run was answered by the newer one.
    node.report(&HandNode::failed(&first, "broken_again", false)).await.expect("it is heard");
    assert_eq!(hub.task(id).await.summary.status, Status::InProgress);
    node.report(&HandNode::completed(&first, json!({ "slept_ms": 5 }))).await.expect("it is taken");
    let ended = hub.task(id).await;
    assert_eq!((ended.summary.status, ended.result), (Status::Completed, Some(json!({ "slept_ms": 5 }))));
    let refused =
        node.report(&HandNode::completed(&second, json!({ "slept_ms": 6 }))).await.expect_err("it is refused");
    assert!(refused.to_string().contains("other_result"), "{refused}");
}
