//! A database that goes away while the hub works, and comes back: the hub needs no restart, held waits stay
//! held, and nothing that was acknowledged is lost or done twice.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;
use sortie_client::people::Hub;
use sortie_rules::tasks::Status;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::SubmitTask;
use stories::{RunningHub, Site, until};

use crate::place::{durable, ready, server, submit_once, tasks};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_held_wait_outlives_its_database_and_gets_its_task_when_it_is_back() {
    let scene = durable();
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    assert!(node.wait(1, 0).await.tasks.is_empty());
    let query = node.next_wait(1, 50);
    let wait = node.try_wait(&query);
    tokio::pin!(wait);
    let meanwhile = async {
        until("the node waits", async || {
            hub.operations("/metrics").await.1.lines().any(|line| line == "sortie_waits_held 1").then_some(())
        })
        .await;
        server(&scene).kill();
        ready(&hub, false).await;
        let refused = submit_once(&hub, "north").await;
        refused.is_problem(ProblemCode::StorageUnavailable, None);
        assert!(refused.headers.contains_key("retry-after"), "it says when to come back: {refused:?}");
        server(&scene).start_again();
        ready(&hub, true).await;
    };
    tokio::select! {
        ended = &mut wait => panic!("nothing has come for it: {ended:?}"),
        () = meanwhile => {}
    }
    let (delivery, id) = tokio::join!(&mut wait, hub.submit("north", "sys.info", json!({})));
    let tasks: Vec<_> = delivery.expect("it was held").tasks.iter().map(|task| task.id).collect();
    assert_eq!(tasks, [id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_burst_through_a_server_that_is_killed_leaves_each_task_once() {
    let scene = durable();
    let url = server(&scene).fresh_database();
    let hub = scene.hub().setting("database_url", &url).start().await;
    let _node = hub.hand_node("north").await;
    let people = hub.people();
    let lanes = (0..8).map(async |lane| {
        let mut ids = Vec::new();
        for number in 0..20 {
            ids.push(submit(&people, &format!("key-{lane}-{number}")).await);
        }
        ids
    });
    let burst = join_all(lanes);
    let outage = async {
        until("some are in", async || (tasks(server(&scene), &url) >= 5).then_some(())).await;
        server(&scene).kill();
        server(&scene).start_again();
    };
    let (ids, ()) = tokio::join!(burst, outage);
    let ids: BTreeSet<String> = ids.into_iter().flatten().collect();
    assert_eq!(ids.len(), 160, "each has an id of its own");
    let kept: BTreeSet<String> = server(&scene).sql(&url, "select id from tasks").into_iter().collect();
    assert_eq!(kept, ids, "what was acknowledged is there, once, and nothing else");
}

/// Submits one task under a key of its own, and repeats that until it is in.
async fn submit(people: &Hub, key: &str) -> String {
    let task = SubmitTask {
        type_name: "sys.info".to_owned(),
        node: "north".to_owned(),
        payload: None,
        priority: None,
        not_before: None,
        not_after: None,
        max_retries: None,
        lease: None,
    };
    let submitted = people.submit(&task, Some(key)).await;
    submitted.expect("it is repeated until it is in").id.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn work_goes_on_after_each_outage_and_nothing_is_done_twice() {
    let scene = durable();
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let mut lines = Vec::new();
    for (round, restart) in [server_killed, server_stopped].into_iter().enumerate() {
        let mut ids = Vec::new();
        for number in 0..5 {
            let line = format!("line {round} {number}");
            ids.push(hub.submit("north", "file.append", append(&site, &line)).await);
            lines.push(line);
        }
        restart(&hub);
        for id in ids {
            assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
        }
    }
    let mut written = site.lines("journal");
    written.sort();
    assert_eq!(written, lines, "each line once");
}

fn server_killed(hub: &RunningHub<'_>) {
    server(hub.scene()).kill();
    server(hub.scene()).start_again();
}

fn server_stopped(hub: &RunningHub<'_>) {
    server(hub.scene()).stop();
    server(hub.scene()).start_again();
}

fn append(site: &Site<'_>, line: &str) -> serde_json::Value {
    json!({ "path": site.files().join("journal"), "line": line })
}
