//! A disk that is full or fails: nothing is acknowledged that is not on it, and the hub goes on when
//! there is room again. `strace` gives the errors that such a disk would give.

use std::collections::BTreeSet;

use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::TaskQuery;
use stories::{Calls, HubPlan, RunningHub, Scene, on_sqlite};

on_sqlite!(
    a_full_disk_refuses_and_recovers_and_keeps_what_it_acknowledged,
    a_disk_that_fails_to_flush_is_never_believed,
    a_disk_that_stays_full_loses_nothing_that_was_acknowledged,
);

/// So many tries are enough to come through the trouble and out of it.
const TRIES: usize = 200;

async fn a_full_disk_refuses_and_recovers_and_keeps_what_it_acknowledged(scene: Scene) {
    let hub = troubled(&scene, "pwrite64", "ENOSPC:when=60..100").await;
    let seen = submit_through(&hub).await;
    assert!(seen.refused.contains(&ProblemCode::StorageFull), "{seen:?}");
    assert!(seen.after_refusals > 0, "it goes on when there is room: {seen:?}");
    // What was refused is not there either: nothing of it was kept.
    assert_eq!(after_a_crash(hub).await, seen.acknowledged);
}

async fn a_disk_that_fails_to_flush_is_never_believed(scene: Scene) {
    let hub = troubled(&scene, "fsync,fdatasync", "EIO:when=6..9").await;
    let seen = submit_through(&hub).await;
    assert!(seen.refused.contains(&ProblemCode::OutcomeUnknown), "{seen:?}");
    assert!(seen.after_refusals > 0, "{seen:?}");
    // A flush that failed may have reached the disk all the same.
    assert!(after_a_crash(hub).await.is_superset(&seen.acknowledged));
}

async fn a_disk_that_stays_full_loses_nothing_that_was_acknowledged(scene: Scene) {
    let hub = troubled(&scene, "pwrite64", "ENOSPC:when=60+").await;
    let seen = submit_through(&hub).await;
    assert!(!seen.acknowledged.is_empty() && seen.after_refusals == 0, "{seen:?}");
    let node = hub.people().node("north").await.expect("what is there can be read all the same");
    assert_eq!(node.name, "north");
    assert_eq!(hub.operations("/healthz").await.0, 200);
    assert_eq!(after_a_crash(hub).await, seen.acknowledged);
}

#[derive(Debug, Default)]
struct Seen {
    acknowledged: BTreeSet<String>,
    refused: Vec<ProblemCode>,
    after_refusals: usize,
}

/// A hub with a node, whose disk gives this error at these calls for its write-ahead log.
async fn troubled<'s>(scene: &'s Scene, calls: &'static str, error: &str) -> RunningHub<'s> {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let (plan, _) = hub.stop().await;
    let wal = plan.data().join("sortie.db-wal");
    plan.under(&Calls::of(calls).on(wal).fail_with(error)).start().await
}

async fn submit_through(hub: &RunningHub<'_>) -> Seen {
    let mut seen = Seen::default();
    for _ in 0..TRIES {
        let task = json!({ "type": "sys.info", "node": "north", "payload": {} });
        let answer = hub.request(Method::POST, "/api/v1/tasks").json(&task).send().await;
        if answer.status == 201 {
            seen.acknowledged.insert(answer.json()["id"].as_str().expect("a task has an id").to_owned());
            seen.after_refusals += usize::from(!seen.refused.is_empty());
        } else {
            assert_eq!(answer.status, 503, "{answer:?}");
            seen.refused.push(answer.problem().code);
        }
        if seen.after_refusals > 10 {
            break;
        }
    }
    seen
}

/// The tasks that a hub on a sound disk finds after this one was killed.
async fn after_a_crash(hub: RunningHub<'_>) -> BTreeSet<String> {
    let plan: HubPlan<'_> = hub.kill().await.under(&[""; 0]);
    let hub = plan.start().await;
    let page = hub.people().tasks(&TaskQuery { limit: Some(1000), ..TaskQuery::default() }).await.unwrap();
    page.items.into_iter().map(|task| task.id.to_string()).collect()
}
