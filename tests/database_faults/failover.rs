//! A server that is lost for good, with a standby that takes its place, and a standby that is away.
//!
//! The server commits nothing that its standby has not got on its disk, as it must wherever "acknowledged" is to
//! outlive the server.

use std::collections::BTreeMap;

use counterparts::Postgres;
use futures_util::future::join_all;
use serde_json::json;
use serde_json::value::to_raw_value;
use sortie_client::people::Hub;
use sortie_rules::tasks::Status;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::SubmitTask;
use stories::{Answer, RunningHub, Scene, Site, until};

use crate::place::{durable, ready, server, task, tasks};

/// A database that a standby has as well: its address at the server, and the standby.
fn with_standby(scene: &Scene) -> (String, Postgres) {
    let url = server(scene).fresh_database();
    let standby = server(scene).standby();
    server(scene).commit_with_standby();
    (url, standby)
}

/// The same database at whichever of both takes writes, as an operator writes it.
fn at_either(url: &str, other: &str) -> String {
    let host = |url: &str| url.rsplit(['@', '/']).nth(1).expect("it names a host").to_owned();
    let both = format!("{},{}", host(url), host(other));
    format!("{}?target_session_attrs=read-write", url.replace(&host(url), &both))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_a_failover_all_that_was_acknowledged_is_there_once_and_ends_once() {
    let scene = durable();
    let (url, standby) = with_standby(&scene);
    let there = standby.same_database(&url);
    let hub = scene.hub().setting("database_url", at_either(&url, &there)).start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let people = hub.people();
    let lanes = (0..6).map(async |lane| {
        let mut acknowledged = Vec::new();
        for number in 0..20 {
            let line = format!("line {lane} {number:02}");
            acknowledged.push((submit(&people, &site, &line).await, line));
        }
        acknowledged
    });
    let failover = async {
        // In the middle: some have ended, some are at work, some are to come.
        until("some are in", async || {
            (tasks(server(&scene), &url) >= 20 && !site.lines("journal").is_empty()).then_some(())
        })
        .await;
        server(&scene).kill();
        ready(&hub, false).await;
        standby.promote();
        ready(&hub, true).await;
    };
    let (acknowledged, ()) = tokio::join!(join_all(lanes), failover);
    let acknowledged: BTreeMap<String, String> = acknowledged.into_iter().flatten().collect();
    assert_eq!(acknowledged.len(), 120, "each has an id of its own");
    let open = format!("select count(*) from tasks where status <> '{}'", Status::Completed.as_str());
    until("all have ended", async || (standby.sql(&there, &open) == ["0"]).then_some(())).await;
    let kept = standby.sql(&there, "select id from tasks order by id");
    assert_eq!(kept, acknowledged.keys().cloned().collect::<Vec<_>>(), "what was acknowledged, once, and nothing else");
    let mut written = site.lines("journal");
    written.sort();
    let mut lines: Vec<String> = acknowledged.into_values().collect();
    lines.sort();
    assert_eq!(written, lines, "each was done once");
    // What the leader does goes on, too: every event has its number, and each is told once.
    assert_eq!(hub.events("task.completed").await.len(), 120);
}

/// Submits a task that adds this line, under a key of its own, and repeats that until it is in.
async fn submit(people: &Hub, site: &Site<'_>, line: &str) -> String {
    let payload = json!({ "path": site.files().join("journal"), "line": line });
    let task = SubmitTask {
        type_name: "file.append".to_owned(),
        node: site.name().to_owned(),
        payload: Some(to_raw_value(&payload).expect("it is JSON")),
        priority: None,
        not_before: None,
        not_after: None,
        max_retries: None,
        lease: None,
    };
    people.submit(&task, Some(line)).await.expect("it is repeated until it is in").id.to_string()
}

async fn submit_under(hub: &RunningHub<'_>, key: &str) -> Answer {
    let request = hub.request(http::Method::POST, "/api/v1/tasks").json(&task("north"));
    request.header("idempotency-key", key).send().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_standby_does_not_confirm_is_not_acknowledged() {
    let scene = durable();
    let (url, standby) = with_standby(&scene);
    let hub = scene.hub().setting("database_url", &url).setting("database.statement_max_s", 1).start().await;
    let _node = hub.hand_node("north").await;
    assert_eq!(submit_under(&hub, "before").await.status, 201);
    standby.stop();
    let unknown = submit_under(&hub, "meanwhile").await;
    unknown.is_problem(ProblemCode::OutcomeUnknown, None);
    assert!(unknown.headers.contains_key("retry-after"), "{unknown:?}");
    ready(&hub, false).await;
    assert_eq!(tasks(server(&scene), &url), 1, "nobody sees what is not confirmed");
    standby.start_again();
    ready(&hub, true).await;
    let repeated = submit_under(&hub, "meanwhile").await;
    assert_eq!(repeated.status, 201, "{repeated:?}");
    assert_eq!(tasks(server(&scene), &url), 2, "once, whether or not the first one was kept");
}
