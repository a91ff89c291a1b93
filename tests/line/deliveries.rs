//! Deliveries: what was lost on the way comes again, what was acknowledged does not, and what comes
//! out of turn is told from a second agent.

use serde_json::json;
use sortie_rules::limits::HELD_UP_WAITS_MAX;
use sortie_wire::deliveries::WaitQuery;
use sortie_wire::problem::ProblemCode;
use stories::{HandNode, Scene, on_both_engines};

on_both_engines!(
    a_delivery_that_was_lost_comes_again_as_the_same_attempt,
    an_acknowledged_delivery_is_not_repeated,
    a_lost_delivery_comes_again_after_the_hub_was_killed,
    a_wait_that_was_held_up_on_its_way_is_late_and_changes_nothing,
    a_first_wait_that_was_held_up_over_a_restart_does_not_shut_the_node_out,
    a_start_that_goes_on_speaking_after_a_newer_one_is_a_second_agent,
    acknowledgements_that_go_back_are_those_of_a_copied_disk,
);

async fn a_delivery_that_was_lost_comes_again_as_the_same_attempt(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    let lost = node.try_wait(&node.next_wait(4, 20)).await.unwrap();
    let again = node.wait(4, 20).await;
    assert_eq!(lost.number, again.number, "a number stands for what was handed out under it");
    for delivery in [lost, again] {
        let [task] = &delivery.tasks[..] else { panic!("one task: {delivery:?}") };
        assert_eq!((task.id, task.attempt, task.run), (id, 1, 1));
    }
    assert_eq!(hub.task(id).await.summary.attempt, 1, "a lost answer costs no attempt");
    assert_eq!(hub.events("task.claimed").await.len(), 1);
}

async fn an_acknowledged_delivery_is_not_repeated(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    hub.submit("north", "sys.info", json!({})).await;
    let first = node.take_one().await;
    let second = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(node.take_one().await.id, second, "and not {} once more", first.id);
    assert!(node.wait(4, 0).await.tasks.is_empty());
}

async fn a_lost_delivery_comes_again_after_the_hub_was_killed(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let _lost = node.try_wait(&node.next_wait(4, 20)).await.unwrap();
    let hub = hub.kill().await.start().await;
    let again = node.take_one().await;
    assert_eq!((again.id, again.attempt), (id, 1));
    node.report(&HandNode::completed(&again, json!({ "slept_ms": 0 }))).await.unwrap();
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}

async fn a_wait_that_was_held_up_on_its_way_is_late_and_changes_nothing(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let held_up = node.next_wait(4, 0);
    node.wait(4, 0).await;
    refused(&node, &held_up, ProblemCode::WaitLate).await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(node.take_one().await.id, id, "the line goes on as if nothing had come");
    assert!(hub.events("node.quarantined").await.is_empty(), "it is no second agent");
}

async fn a_first_wait_that_was_held_up_over_a_restart_does_not_shut_the_node_out(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let held_up = node.next_wait(4, 0);
    node.start_again();
    node.wait(4, 0).await;
    refused(&node, &held_up, ProblemCode::WaitLate).await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(node.take_one().await.id, id, "the newer start goes on");
    assert!(hub.events("node.quarantined").await.is_empty());
}

async fn a_start_that_goes_on_speaking_after_a_newer_one_is_a_second_agent(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    node.wait(4, 0).await;
    let of_the_older = node.next_wait(4, 0);
    node.start_again();
    node.wait(4, 0).await;
    // A few might be waits that were held up on their way before it ended.
    for held_up in 0..u64::from(HELD_UP_WAITS_MAX) {
        let of_the_older = WaitQuery { seq: of_the_older.seq + held_up, ..of_the_older };
        refused(&node, &of_the_older, ProblemCode::WaitLate).await;
    }
    assert!(hub.events("node.quarantined").await.is_empty());
    let of_the_older = WaitQuery { seq: 100, ..of_the_older };
    refused(&node, &of_the_older, ProblemCode::NodeQuarantined).await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    refused(&node, &node.next_wait(4, 0), ProblemCode::NodeQuarantined).await;
    hub.people().readmit_node("north").await.unwrap();
    assert_eq!(node.take_one().await.id, id, "whoever comes first goes on");
    let events = hub.events("node.quarantined").await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].node, Some(node.id));
    assert_eq!(events[0].data["boot"], json!(of_the_older.boot));
}

async fn acknowledgements_that_go_back_are_those_of_a_copied_disk(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let from_the_copy = node.next_wait(4, 0);
    for _ in 0..2 {
        // Each hand-over writes down what was acknowledged before it.
        hub.submit("north", "sys.info", json!({})).await;
        node.take_one().await;
    }
    let hub = hub.kill().await.start().await;
    node.start_again();
    let from_the_copy = WaitQuery { boot: node.next_wait(0, 0).boot, ..from_the_copy };
    for held_up in 1..=u64::from(HELD_UP_WAITS_MAX) {
        refused(&node, &WaitQuery { seq: held_up, ..from_the_copy }, ProblemCode::WaitLate).await;
    }
    refused(&node, &WaitQuery { seq: 100, ..from_the_copy }, ProblemCode::NodeQuarantined).await;
    assert_eq!(hub.events("node.quarantined").await.len(), 1);
}

async fn refused(node: &HandNode, query: &WaitQuery, code: ProblemCode) {
    let refusal = node.try_wait(query).await.expect_err("it is refused");
    let problem = refusal.problem().unwrap_or_else(|| panic!("no problem: {refusal:?}"));
    assert_eq!(problem.code, code, "{problem:?}");
    assert!(!problem.detail.is_empty());
}
