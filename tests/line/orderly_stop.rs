//! Orderly stops: a hub answers what it holds and finishes what is under way; an agent lets running
//! work come to its end, or leaves it to its next start.

use rustix::process::Signal;
use serde_json::json;
use sortie_client::ClientError;
use stories::{Process, RunningHub, Scene, TlsLine, on_sqlite, until};

on_sqlite!(
    a_hub_that_stops_answers_held_waits_signed_and_empty,
    a_hub_that_stops_answers_people_who_wait_for_a_task,
    a_hub_that_stops_finishes_the_request_that_is_under_way,
    a_hub_that_is_asked_twice_ends_at_once,
    a_hub_that_stops_does_not_wait_for_ever,
    an_agent_that_stops_lets_running_work_come_to_its_end,
    an_agent_leaves_what_takes_too_long_to_its_next_start,
    an_agent_that_is_asked_twice_ends_at_once_and_its_next_start_goes_on,
);

const ASKED: &str = "asked to stop: answering what is held";

async fn a_hub_that_stops_answers_held_waits_signed_and_empty(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let query = node.next_wait(4, 50);
    let held = node.try_wait(&query);
    tokio::pin!(held);
    tokio::select! {
        ended = &mut held => panic!("nothing has come for it: {ended:?}"),
        () = heard(&hub) => {}
    }
    let (answer, (plan, status)) = tokio::join!(held, hub.stop());
    let delivery = answer.expect("a held wait is answered, not cut");
    assert!(delivery.tasks.is_empty() && delivery.cancel.is_empty());
    assert_eq!(status.code(), Some(0));
    // The same line goes on at the next start.
    let hub = plan.start().await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(node.take_one().await.id, id);
}

async fn a_hub_that_stops_answers_people_who_wait_for_a_task(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    let people = hub.people_as(&hub.admin_token());
    let held = people.task(id, Some(50));
    tokio::pin!(held);
    tokio::select! {
        ended = &mut held => panic!("nobody works on it: {ended:?}"),
        () = served(&hub, "/api/v1/whoami") => {}
    }
    let (answer, (_, status)) = tokio::join!(held, hub.stop());
    match answer {
        Ok(task) => assert_eq!(task.summary.status.as_str(), "pending"),
        Err(ClientError::Problem { problem, .. }) => assert_eq!(problem.code.as_str(), "stopping"),
        Err(error) => panic!("it was cut: {error:?}"),
    }
    assert_eq!(status.code(), Some(0));
}

async fn a_hub_that_stops_finishes_the_request_that_is_under_way(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let (mut line, rest) = half_a_submission(&hub).await;
    let (plan, process) = hub.into_parts();
    process.signal(Signal::TERM);
    until("it stops", async || process.log().contains(ASKED).then_some(())).await;
    line.say(&rest).await.unwrap();
    let answer = line.rest().await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let mut process = process;
    assert_eq!(process.end().await.code(), Some(0));
    let hub = plan.start().await;
    assert_eq!(hub.events("task.submitted").await.len(), 1, "and what was acknowledged is there");
}

async fn a_hub_that_is_asked_twice_ends_at_once(scene: Scene) {
    let hub = scene.hub().setting("stop_grace_s", 3600).start().await;
    let _node = hub.hand_node("north").await;
    let (_line, _rest) = half_a_submission(&hub).await;
    let (plan, process) = hub.into_parts();
    let mut process = asked_twice(process, ASKED).await;
    assert_eq!(process.end().await.code(), Some(1));
    assert!(process.log().contains("what was acknowledged is kept"), "{}", process.log());
    plan.start().await;
}

async fn a_hub_that_stops_does_not_wait_for_ever(scene: Scene) {
    let hub = scene.hub().setting("stop_grace_s", 1).start().await;
    let _node = hub.hand_node("north").await;
    let (mut line, _rest) = half_a_submission(&hub).await;
    let (_, status) = hub.stop().await;
    assert_eq!(status.code(), Some(0));
    assert_eq!(line.rest().await, "", "the request that never ended was cut");
}

async fn an_agent_that_stops_lets_running_work_come_to_its_end(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await.setting("stop_grace_s", 60).setting("concurrency", 1);
    let site = site.setting("log_level", "debug");
    let agent = site.start();
    let running = hub.submit("north", "sleep", json!({ "ms": 1500 })).await;
    let waiting = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    in_progress(&hub, running).await;
    in_progress(&hub, waiting).await;
    begun(&site).await;
    assert_eq!(agent.stop().await.code(), Some(0));
    assert_eq!(hub.task(running).await.summary.status.as_str(), "completed", "it is reported before the end");
    assert_eq!(hub.task(waiting).await.summary.status.as_str(), "in_progress", "nothing new was begun");
    let _agent = site.start();
    let waited = hub.ended(waiting).await.summary;
    assert_eq!((waited.status.as_str(), waited.attempt), ("completed", 1));
}

async fn an_agent_leaves_what_takes_too_long_to_its_next_start(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await.setting("stop_grace_s", 0).setting("log_level", "debug");
    let agent = site.start();
    let id = hub.submit("north", "sleep", json!({ "ms": 1500 })).await;
    in_progress(&hub, id).await;
    begun(&site).await;
    assert_eq!(agent.stop().await.code(), Some(0));
    assert!(site.log().contains("tasks are left in the middle"), "{}", site.log());
    let _agent = site.start();
    let task = hub.ended(id).await.summary;
    assert_eq!((task.status.as_str(), task.run, task.attempt), ("completed", 1, 1), "it is idempotent");
}

async fn an_agent_that_is_asked_twice_ends_at_once_and_its_next_start_goes_on(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await.setting("stop_grace_s", 3600).setting("log_level", "debug");
    let agent = site.start();
    let id = hub.submit("north", "sleep", json!({ "ms": 1500 })).await;
    in_progress(&hub, id).await;
    begun(&site).await;
    let mut process = asked_twice(agent.process, "it takes nothing new").await;
    assert_eq!(process.end().await.code(), Some(1));
    let _agent = site.start();
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}

/// Asks a process to stop, and again once it says `first`.
async fn asked_twice(process: Process, first: &str) -> Process {
    process.signal(Signal::TERM);
    until("it stops", async || process.log().contains(first).then_some(())).await;
    process.signal(Signal::TERM);
    process
}

/// A submission of which the hub has read the head and a part of the body, and what is missing.
async fn half_a_submission(hub: &RunningHub<'_>) -> (TlsLine, String) {
    let body = json!({ "type": "sys.info", "node": "north", "payload": {} }).to_string();
    let (first, rest) = body.split_at(body.len() / 2);
    let mut line = hub.tls(&["http/1.1"]).await.unwrap();
    let (token, length) = (hub.admin_token(), body.len());
    line.say(&format!(
        "POST /api/v1/tasks HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n"
    ))
    .await
    .unwrap();
    // The hub asks for the body when its handler begins to read it.
    assert!(line.head().await.starts_with("HTTP/1.1 100 "));
    line.say(first).await.unwrap();
    (line, rest.to_owned())
}

async fn heard(hub: &RunningHub<'_>) {
    let people = hub.people();
    until("the node is heard", async || people.node("north").await.expect("it has enrolled").heard_at.map(drop)).await;
}

async fn served(hub: &RunningHub<'_>, route: &str) {
    hub.people().whoami().await.unwrap();
    until("a request is served", async || hub.operations("/metrics").await.1.contains(route).then_some(())).await;
}

async fn in_progress(hub: &RunningHub<'_>, id: sortie_rules::ids::TaskId) {
    let people = hub.people();
    until("the task is handed out", async || {
        (people.task(id, None).await.expect("it is there").summary.status.as_str() == "in_progress").then_some(())
    })
    .await;
}

async fn begun(site: &stories::Site<'_>) {
    until("the run has begun", async || site.log().contains("a run begins").then_some(())).await;
}
