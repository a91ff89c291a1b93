//! Pause, resume, cancel.

use http::Method;
use serde_json::json;
use sortie_rules::jobs::JobStatus;
use sortie_wire::problem::ProblemCode::JobOver;
use stories::{HandNode, Scene, on_both_engines, on_sqlite};

use crate::help::{complete, job_is, naps, nodes, over, run, statuses, taken};

on_both_engines!(a_paused_job_gives_nothing_out_until_it_is_resumed);
on_sqlite!(a_cancelled_job_takes_back_what_waits_and_asks_what_is_under_way_to_stop, what_is_over_cannot_be_steered,);

async fn a_paused_job_gives_nothing_out_until_it_is_resumed(scene: Scene) {
    let hub = scene.hub().start().await;
    let nodes = nodes(&hub, 3).await;
    let mut request = naps(json!({ "all": true }));
    request["at_a_time"] = json!(1);
    let job = run(&hub, &request).await;
    let first = nodes[0].take_one().await;
    let paused = hub.people().pause_job(job.id).await.expect("it runs");
    assert_eq!(paused.status, JobStatus::Paused);
    complete(&nodes[0], &first).await;
    let paused = job_is(&hub, job.id, "the first is done", |job| job.counts.unwrap().completed == 1).await;
    assert_eq!((paused.status, paused.counts.unwrap().waiting), (JobStatus::Paused, 2));
    assert!(taken(&nodes[1]).await.is_none());
    // Over a restart, too.
    let hub = hub.stop().await.0.start().await;
    nodes.iter().for_each(HandNode::start_again);
    for node in &nodes {
        assert!(taken(node).await.is_none());
    }
    assert_eq!(hub.people().job(job.id).await.expect("it is there").counts.unwrap().waiting, 2);
    hub.people().resume_job(job.id).await.expect("it is paused");
    for node in &nodes[1..] {
        complete(node, &node.take_one().await).await;
    }
    assert_eq!(over(&hub, job.id).await.status, JobStatus::Completed);
    let kinds: Vec<String> = hub.events("job").await.into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["job.created", "job.paused", "job.resumed", "job.completed"]);
}

async fn a_cancelled_job_takes_back_what_waits_and_asks_what_is_under_way_to_stop(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let queued = hub.hand_node("south").await;
    queued.wait(0, 0).await;
    let _away = hub.hand_node("west").await;
    let request = json!({ "type": "sleep", "payload": { "ms": 3_600_000 }, "selector": { "all": true } });
    let job = run(&hub, &request).await;
    let out = |job: &sortie_wire::jobs::Job| {
        let counts = job.counts.unwrap();
        (counts.in_progress, counts.pending, counts.waiting) == (1, 1, 1)
    };
    job_is(&hub, job.id, "one is at it, one waits, one is away", out).await;
    let asked = hub.people().cancel_job(job.id).await.expect("it runs");
    assert!(matches!(asked.status, JobStatus::Cancelling | JobStatus::Cancelled));
    assert_eq!(over(&hub, job.id).await.status, JobStatus::Cancelled);
    assert_eq!(statuses(&hub, job.id).await, ["cancelled", "cancelled", "skipped"]);
}

async fn what_is_over_cannot_be_steered(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = nodes(&hub, 1).await.remove(0);
    let job = run(&hub, &naps(json!({ "all": true }))).await;
    complete(&node, &node.take_one().await).await;
    over(&hub, job.id).await;
    for verb in ["pause", "resume", "cancel"] {
        let answer = hub.request(Method::POST, &format!("/api/v1/jobs/{}/{verb}", job.id)).send().await;
        answer.is_problem(JobOver, None);
    }
}
