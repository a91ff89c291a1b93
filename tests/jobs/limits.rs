//! So many at a time and no more, and an end when too many have failed.

use serde_json::json;
use sortie_rules::jobs::JobStatus;
use stories::{Scene, on_both_engines, on_sqlite, until};

use crate::help::{complete, fail, job_is, naps, nodes, over, run, statuses, table, taken};

on_both_engines!(no_more_nodes_are_at_it_at_once_than_may, a_job_stops_when_so_many_have_failed);
on_sqlite!(a_job_that_stops_takes_back_what_nobody_has_begun, a_refusal_of_the_site_counts_as_a_failure);

async fn no_more_nodes_are_at_it_at_once_than_may(scene: Scene) {
    let hub = scene.hub().start().await;
    let nodes = nodes(&hub, 7).await;
    let mut request = naps(json!({ "all": true }));
    request["at_a_time"] = json!(2);
    let job = run(&hub, &request).await;
    let (mut held, mut done, mut most) = (Vec::new(), 0, 0);
    until("all are done", async || {
        for node in &nodes {
            held.extend(taken(node).await.map(|task| (node, task)));
        }
        let counts = hub.people().job(job.id).await.expect("the job is there").counts.unwrap();
        most = most.max(counts.pending + counts.in_progress);
        assert!(counts.pending + counts.in_progress <= 2, "{counts:?}");
        if held.len() == 2 || done == 6 {
            for (node, task) in held.drain(..) {
                complete(node, &task).await;
                done += 1;
            }
        }
        (done == 7).then_some(())
    })
    .await;
    assert_eq!(most, 2, "as many as may");
    assert_eq!(over(&hub, job.id).await.counts.unwrap().completed, 7);
}

async fn a_job_stops_when_so_many_have_failed(scene: Scene) {
    let hub = scene.hub().start().await;
    let nodes = nodes(&hub, 6).await;
    let mut request = naps(json!({ "all": true }));
    (request["at_a_time"], request["stop_after_failures"]) = (json!(3), json!(2));
    let job = run(&hub, &request).await;
    let tasks = [nodes[0].take_one().await, nodes[1].take_one().await, nodes[2].take_one().await];
    fail(&nodes[0], &tasks[0]).await;
    let fourth = nodes[3].take_one().await;
    fail(&nodes[1], &tasks[1]).await;
    job_is(&hub, job.id, "it is stopping", |job| job.status == JobStatus::Stopping).await;
    assert!(taken(&nodes[4]).await.is_none(), "nothing goes out any more");
    complete(&nodes[2], &tasks[2]).await;
    complete(&nodes[3], &fourth).await;
    let over = over(&hub, job.id).await;
    assert_eq!(over.status, JobStatus::Stopped);
    assert_eq!(statuses(&hub, job.id).await, ["failed", "failed", "completed", "completed", "skipped", "skipped"]);
    let rows = table(&hub, job.id).await;
    assert_eq!(rows[5].code.as_ref().map(|code| code.0.as_str()), Some("job_stopped"));
    let kinds: Vec<String> = hub.events("job").await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["job.created", "job.failed_too_often", "job.stopped"]);
}

async fn a_job_that_stops_takes_back_what_nobody_has_begun(scene: Scene) {
    let hub = scene.hub().start().await;
    let nodes = nodes(&hub, 5).await;
    let mut request = naps(json!({ "all": true }));
    request["stop_after_percent"] = json!(20);
    let job = run(&hub, &request).await;
    job_is(&hub, job.id, "all are out", |job| job.counts.unwrap().pending == 5).await;
    let first = nodes[0].take_one().await;
    fail(&nodes[0], &first).await;
    assert_eq!(over(&hub, job.id).await.status, JobStatus::Stopped);
    assert_eq!(statuses(&hub, job.id).await, ["failed", "cancelled", "cancelled", "cancelled", "cancelled"]);
    let why = table(&hub, job.id).await[1].message.clone();
    assert_eq!(why.as_deref(), Some("its job was stopped: too many nodes failed"));
}

async fn a_refusal_of_the_site_counts_as_a_failure(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    site.set_policy("default = \"refuse\"\nallow = []\n");
    let _agent = site.start();
    let _away = hub.hand_node("south").await;
    let mut request = naps(json!({ "all": true }));
    request["stop_after_failures"] = json!(1);
    let job = run(&hub, &request).await;
    assert_eq!(over(&hub, job.id).await.status, JobStatus::Stopped);
    assert_eq!(statuses(&hub, job.id).await, ["rejected", "skipped"]);
}
