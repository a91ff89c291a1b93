//! A database that is slow, or says nothing at all.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use serde_json::value::to_raw_value;
use sortie_rules::tasks::Status;
use sortie_rules::time::Span;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::SubmitTask;
use stories::{Engine, RunningHub, Scene, until};

use crate::place::{behind_a_net, ready, server, submit_once, tasks};

/// What is asked of a hub's metrics: the number behind these words.
async fn metric(hub: &RunningHub<'_>, words: &str) -> Option<f64> {
    let text = hub.operations("/metrics").await.1;
    text.lines().find_map(|line| line.strip_prefix(words)?.trim().parse().ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_slow_database_makes_slow_hubs_and_nothing_else() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, url) = behind_a_net(&scene).await;
    let hub = plan.start().await;
    until("it leads", async || (metric(&hub, "sortie_leader").await == Some(1.0)).then_some(())).await;
    let other = hub.plan().beside("other").start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    // Each word to the server and each answer: there and back is a hundred times what a server beside the hub takes.
    net.be_late(Duration::from_millis(10));
    // Longer than its lease, which must be renewed meanwhile.
    let nap = SubmitTask {
        type_name: "sleep".to_owned(),
        node: "north".to_owned(),
        payload: Some(to_raw_value(&json!({ "ms": 9000 })).expect("it is JSON")),
        priority: None,
        not_before: None,
        not_after: None,
        max_retries: None,
        lease: Some(Span::seconds(5)),
    };
    let nap = other.people().submit(&nap, None).await.expect("an administrator may").id;
    let lines: Vec<String> = (0..20).map(|number| format!("line {number:02}")).collect();
    let ids = join_all(lines.iter().enumerate().map(async |(number, line)| {
        let at = [&hub, &other][number % 2];
        at.submit("north", "file.append", json!({ "path": site.files().join("journal"), "line": line })).await
    }));
    let mut ids = ids.await;
    ids.push(nap);
    for id in ids {
        until("it ends", async || {
            for hub in [&hub, &other] {
                assert_eq!(hub.operations("/readyz").await.0, 200, "it is slow, and does what it is asked");
            }
            let leaders = [metric(&hub, "sortie_leader").await, metric(&other, "sortie_leader").await];
            assert_eq!(leaders, [Some(1.0), Some(0.0)], "who leads, leads on");
            hub.task(id).await.summary.status.is_terminal().then_some(())
        })
        .await;
        assert_eq!(hub.task(id).await.summary.status, Status::Completed);
    }
    let mut written = site.lines("journal");
    written.sort();
    assert_eq!(written, lines, "each was done once");
    assert_eq!(server(&scene).sql(&url, "select count(*) from tasks where attempt <> 1"), ["0"], "no lease has lapsed");
    // Whom a leader takes for silent it has not heard; the agent was heard all the time.
    assert_eq!(
        server(&scene).sql(&url, "select count(*) from events where kind in ('node.stale', 'node.down')"),
        ["0"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_database_that_says_nothing_does_not_hold_requests_for_ever() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, url) = behind_a_net(&scene).await;
    let hub = plan
        .setting("database.connections", 2)
        .setting("database.connection_wait_s", 1)
        .setting("database.statement_max_s", 1)
        .start()
        .await;
    let _node = hub.hand_node("north").await;
    assert_eq!(submit_once(&hub, "north").await.status, 201);
    net.stall();
    // More than there are connections: those that get none are sent away sooner.
    for answer in join_all((0..5).map(|_| submit_once(&hub, "north"))).await {
        answer.is_problem(ProblemCode::StorageUnavailable, None);
        assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    }
    net.mend();
    ready(&hub, true).await;
    let before = tasks(server(&scene), &url);
    assert_eq!(submit_once(&hub, "north").await.status, 201);
    assert_eq!(tasks(server(&scene), &url), before + 1);
}
