//! Leases and retries are those of any task.

use serde_json::json;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Status;
use sortie_rules::time::Span;
use stories::{Scene, on_both_engines, on_sqlite, until};

use crate::client::{Trust, done, hub, nap};

on_both_engines!(what_fails_is_tried_again_no_more_often_than_it_may);
on_sqlite!(a_trust_has_half_an_hour, what_a_trust_took_and_forgot_comes_again_and_a_late_result_counts);

async fn what_fails_is_tried_again_no_more_often_than_it_may(scene: Scene) {
    let hub = hub(&scene).await;
    let trust = Trust::add(&hub, "north").await;
    let words = ["task", "submit", "sleep", "--payload", "{\"ms\":0}", "--node", "north", "--max-retries", "1"];
    let id = hub.sortie(&words).well().stdout.trim().to_owned();
    let failed = json!({ "status": "FAILED", "error": "no room" });
    assert_eq!(trust.taken().await, [id.as_str()]);
    let first = trust.report(&id, failed.clone()).await;
    assert_eq!((first.status, &first.json()["status"]), (200, &json!("PENDING")));
    // The answer got lost, and the same failure is told again: it is one failure.
    assert_eq!(trust.report(&id, failed.clone()).await.json()["status"], "PENDING");
    let again = until("its turn has come again", async || {
        let answer = trust.pending().await;
        answer.json().as_array().and_then(|tasks| tasks.first().cloned())
    })
    .await;
    assert_eq!((&again["id"], &again["retry_count"]), (&json!(id), &json!(1)));
    let last = trust.report(&id, failed).await;
    assert_eq!((last.status, &last.json()["status"]), (200, &json!("FAILED")));
    let task = hub.ended(id.parse().expect("an id")).await;
    assert_eq!((task.summary.status, task.summary.retries), (Status::Failed, 1));
    assert_eq!(task.summary.code.map(|code| code.0).as_deref(), Some("trust_failed"));
    assert!(trust.taken().await.is_empty());
}

async fn a_trust_has_half_an_hour(scene: Scene) {
    let hub = hub(&scene).await;
    let trust = Trust::add(&hub, "north").await;
    let id = nap(&hub, "north").await;
    trust.taken().await;
    let task = hub.task(id).await.summary;
    let (from, until) = (task.claimed_at.expect("it is handed out"), task.lease_until.expect("it is handed out"));
    assert_eq!(until.since(from), Span::minutes(30));
    trust.heartbeat().await;
    assert_eq!(hub.task(id).await.summary.lease_until, Some(until), "a sign of life renews nothing");
}

async fn what_a_trust_took_and_forgot_comes_again_and_a_late_result_counts(scene: Scene) {
    let plan = scene.hub().setting("trust_api", true);
    let hub = plan.start().await;
    let trust = Trust::add(&hub, "north").await;
    let (name, key) = (trust.name, trust.key.clone());
    let submit = || -> TaskId {
        let words = ["task", "submit", "sleep", "--payload", "{\"ms\":0}", "--node", "north", "--lease", "5s"];
        hub.sortie(&words).well().stdout.trim().parse().expect("an id")
    };
    let (late, lost) = (submit(), submit());
    assert_eq!(trust.taken().await.len(), 2);
    // The lease's end is moved here by hand. What ended while nobody was there to hear goes on for the
    // task's own lease, which is the shortest there is.
    let plan = hub.stop().await.0;
    plan.sql("update tasks set lease_until = 1 where status = 'in_progress'");
    let hub = plan.start().await;
    let trust = Trust { hub: &hub, name, key };
    until("they are back in the queue", async || {
        let statuses = [hub.task(late).await.summary.status, hub.task(lost).await.summary.status];
        (statuses == [Status::Pending; 2]).then_some(())
    })
    .await;
    let answer = trust.report(&late.to_string(), done()).await;
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("COMPLETED")), "work is not thrown away");
    let again = until("the other comes again", async || trust.taken().await.pop()).await;
    assert_eq!(again, lost.to_string());
    assert_eq!(trust.report(&again, done()).await.status, 200);
    assert_eq!(hub.ended(lost).await.summary.run, 1, "it is the same run");
}
