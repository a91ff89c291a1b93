//! A database that is away for longer than a lease: nobody could be heard meanwhile, so nobody was silent.

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{RunningHub, now, until};

use crate::place::{durable, ready, server};

/// How often a hub has looked for leases that are over.
async fn looks(hub: &RunningHub<'_>) -> u64 {
    let metrics = hub.operations("/metrics").await.1;
    let line =
        metrics.lines().find(|line| line.starts_with("sortie_loop_seconds_count") && line.contains("expire_leases"));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_outage_that_is_longer_than_a_lease_ends_no_lease_before_its_agent_could_speak() {
    let scene = durable();
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let nap = json!({ "type": "sleep", "node": "north", "payload": { "ms": 0 }, "lease": 8_000, "max_retries": 0 });
    let nap = serde_json::from_value(nap).expect("it is a task");
    let id = hub.people().submit(&nap, None).await.expect("an administrator may").id;
    let held = node.take_one().await;
    let lease_until = hub.task(id).await.summary.lease_until.expect("it is leased");
    server(&scene).kill();
    ready(&hub, false).await;
    until("its lease is over", async || (now().0 > lease_until.0 + 4_000).then_some(())).await;
    server(&scene).start_again();
    ready(&hub, true).await;
    // The hub has had time to look before the agent is back.
    let before = looks(&hub).await;
    until("it has looked", async || (looks(&hub).await > before + 2).then_some(())).await;
    let pulse = node.heartbeat(&[&held]).await.expect("a heartbeat is heard");
    assert_eq!(pulse.not_held, [], "it is held still");
    let kept = hub.task(id).await.summary;
    assert_eq!((kept.status, kept.attempt, kept.retries), (Status::InProgress, 1, 0));
    // And silence counts again from then on.
    let dead = hub.ended(id).await.summary;
    assert_eq!((dead.status, dead.code.map(|code| code.0)), (Status::Failed, Some("lease_expired".into())));
}
