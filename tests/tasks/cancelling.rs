//! Calling a task off, and putting one back.

use http::Method;
use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_wire::problem::ProblemCode::{NotRequeueable, TaskEnded};
use sortie_wire::results::{OutcomeWord, RunResult};
use stories::{HandNode, RunningHub, Scene, on_both_engines, on_sqlite, until};

use crate::help::{is_refused, nap, note, one_slot, submit, traces};

on_both_engines!(
    a_waiting_task_is_cancelled_at_once_and_never_handed_out,
    a_task_under_way_is_stopped_by_its_agent,
    what_has_ended_is_not_cancelled_and_what_completed_is_not_requeued,
);
on_sqlite!(
    a_task_in_the_agent_s_own_queue_is_cancelled_before_it_begins,
    an_open_wait_hears_of_a_cancellation_and_so_does_a_heartbeat,
    what_an_agent_did_before_it_heard_counts,
    a_wish_to_stop_one_run_does_not_stop_the_next,
    whatever_ended_without_completing_can_be_requeued,
);

async fn under_way(hub: &RunningHub<'_>, id: sortie_rules::ids::TaskId) {
    until("the task is handed out", async || (hub.task(id).await.summary.status == Status::InProgress).then_some(()))
        .await;
}

async fn a_wish_to_stop_one_run_does_not_stop_the_next(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let first = node.take_one().await;
    // Nobody waits while this is asked for: the node never hears of it.
    assert!(hub.people().cancel_task(id).await.expect("it is under way").cancel_asked);
    node.report(&HandNode::failed(&first, "handler_failed", false)).await.expect("the first run ends");
    hub.people().requeue_task(id).await.expect("it did not complete");
    let delivery = node.wait(4, 20).await;
    let runs: Vec<_> = delivery.tasks.iter().map(|task| (task.id, task.run)).collect();
    assert_eq!((runs, delivery.cancel), (vec![(id, 2)], vec![]));
}

async fn a_waiting_task_is_cancelled_at_once_and_never_handed_out(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let cancelled = hub.people().cancel_task(id).await.expect("it can be cancelled");
    assert_eq!(cancelled.status, Status::Cancelled);
    assert_eq!(cancelled.code.map(|code| code.0).as_deref(), Some("cancelled"));
    assert!(cancelled.finished_at.is_some() && cancelled.message.is_some_and(|text| text.contains("cancelled by")));
    assert!(node.wait(5, 0).await.tasks.is_empty());
    let kinds: Vec<String> = hub.events("task").await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["task.submitted", "task.cancelled"]);
}

async fn a_task_under_way_is_stopped_by_its_agent(scene: Scene) {
    let hub = scene.hub().start().await;
    let (_site, _agent) = one_slot(&hub, "north").await;
    let long = hub.submit("north", "sleep", json!({ "ms": 3_600_000 })).await;
    under_way(&hub, long).await;
    let asked = hub.people().cancel_task(long).await.expect("it can be cancelled");
    assert!(asked.status == Status::Cancelled || asked.cancel_asked, "{asked:?}");
    assert_eq!(hub.ended(long).await.summary.status, Status::Cancelled);
    let events = hub.events("task").await;
    let (asked, stopped) = (&events[events.len() - 2], &events[events.len() - 1]);
    assert_eq!((asked.kind.as_str(), stopped.kind.as_str()), ("task.cancel_asked", "task.cancelled"));
    assert_eq!(stopped.actor, "north", "the agent says so");
    let next = submit(&hub, nap("north")).await;
    assert_eq!(hub.ended(next).await.summary.status, Status::Completed, "its place is free again");
}

async fn what_has_ended_is_not_cancelled_and_what_completed_is_not_requeued(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let act = async |id, verb: &str| hub.request(Method::POST, &format!("/api/v1/tasks/{id}/{verb}")).send().await;
    let id = submit(&hub, nap("north")).await;
    is_refused(&act(id, "requeue").await, NotRequeueable, None);
    let held = node.take_one().await;
    is_refused(&act(id, "requeue").await, NotRequeueable, None);
    node.report(&HandNode::completed(&held, json!({ "slept_ms": 0 }))).await.expect("it is taken");
    let before = traces(&hub).await;
    let problem = is_refused(&act(id, "cancel").await, TaskEnded, None);
    assert!(problem.detail.contains("completed"), "{problem:?}");
    is_refused(&act(id, "requeue").await, NotRequeueable, None);
    assert_eq!((traces(&hub).await, hub.task(id).await.summary.run), (before, 1));

    let id = submit(&hub, nap("north")).await;
    assert_eq!(act(id, "cancel").await.status, 200);
    is_refused(&act(id, "cancel").await, TaskEnded, None);
}

async fn a_task_in_the_agent_s_own_queue_is_cancelled_before_it_begins(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await.setting("concurrency", 1);
    let _agent = site.start();
    let long = hub.submit("north", "sleep", json!({ "ms": 3_600_000 })).await;
    under_way(&hub, long).await;
    let queued = submit(&hub, note(&site, "never")).await;
    under_way(&hub, queued).await;
    hub.people().cancel_task(queued).await.expect("it can be cancelled");
    assert_eq!(hub.ended(queued).await.summary.status, Status::Cancelled);
    hub.people().cancel_task(long).await.expect("it can be cancelled");
    let after = submit(&hub, note(&site, "after")).await;
    assert_eq!(hub.ended(after).await.summary.status, Status::Completed);
    assert_eq!(site.lines("journal"), ["after"]);
}

async fn an_open_wait_hears_of_a_cancellation_and_so_does_a_heartbeat(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = submit(&hub, nap("north")).await;
    let held = node.take_one().await;
    let people = hub.people();
    let (delivery, asked) = tokio::join!(node.wait(0, 30), people.cancel_task(id));
    assert!(asked.expect("it can be cancelled").cancel_asked);
    assert_eq!((delivery.cancel, delivery.tasks.len()), (vec![id], 0));
    assert_eq!(node.heartbeat(&[&held]).await.expect("a heartbeat is heard").cancel, [id]);
    let before = traces(&hub).await;
    assert!(people.cancel_task(id).await.expect("asking again does no harm").cancel_asked);
    assert_eq!(traces(&hub).await, before, "asking twice is asking once");
    let stopped = RunResult { code: None, outcome: OutcomeWord::Cancelled, ..HandNode::failed(&held, "x", false) };
    node.report(&stopped).await.expect("it is taken");
    assert_eq!(hub.task(id).await.summary.status, Status::Cancelled);
}

async fn what_an_agent_did_before_it_heard_counts(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    for completes in [true, false] {
        let id = submit(&hub, nap("north")).await;
        let held = node.take_one().await;
        hub.people().cancel_task(id).await.expect("it can be cancelled");
        let (result, end) = match completes {
            true => (HandNode::completed(&held, json!({ "slept_ms": 0 })), Status::Completed),
            // Nobody wants another try of what was called off.
            false => (HandNode::failed(&held, "busy", true), Status::Failed),
        };
        node.report(&result).await.expect("it is taken");
        assert_eq!(hub.task(id).await.summary.status, end);
    }
}

async fn whatever_ended_without_completing_can_be_requeued(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    for outcome in [OutcomeWord::Failed, OutcomeWord::Rejected, OutcomeWord::Interrupted, OutcomeWord::Cancelled] {
        let id = submit(&hub, nap("north")).await;
        let held = node.take_one().await;
        let coded = matches!(outcome, OutcomeWord::Failed | OutcomeWord::Rejected);
        let failed = HandNode::failed(&held, "broken", false);
        let end = RunResult { outcome, code: failed.code.clone().filter(|_| coded), ..failed };
        node.report(&end).await.expect("it is taken");
        let again = hub.people().requeue_task(id).await.expect("it can be requeued");
        assert_eq!((again.status, again.run, again.retries), (Status::Pending, 2, 0));
        let second = node.take_one().await;
        assert_eq!((second.id, second.run, second.attempt), (id, 2, 2));
        // The same words about a newer run are another result.
        node.report(&RunResult { run: 2, attempt: 2, ..end }).await.expect("it is taken");
        assert!(hub.task(id).await.summary.status.is_terminal());
    }
}
