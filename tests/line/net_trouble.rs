//! A net that cuts, refuses, swallows and breaks off in the middle of answers: each task comes to
//! one end, and its effect stands once.

use std::collections::BTreeSet;

use serde_json::json;
use sortie_rules::ids::TaskId;
use stories::{Net, RunningAgent, RunningHub, Scene, Site, on_sqlite, until};

on_sqlite!(
    connections_that_are_cut_again_and_again_lose_nothing,
    answers_that_break_off_in_the_middle_lose_nothing,
    a_receipt_that_breaks_off_is_asked_for_again,
    a_delivery_that_the_net_swallowed_comes_again_as_the_same_attempt,
    an_agent_that_is_refused_for_a_while_comes_back,
    a_net_that_stalls_and_goes_on_is_no_trouble_at_all,
);

async fn connections_that_are_cut_again_and_again_lose_nothing(scene: Scene) {
    let (hub, net, site, _agent) = over_the_net(&scene).await;
    let mut tasks = Vec::new();
    for round in 0..8 {
        tasks.extend(append(&hub, &site, round * 5..(round + 1) * 5).await);
        net.cut();
    }
    each_once(&hub, &site, &tasks).await;
    assert!(net.carried() > 1);
}

async fn answers_that_break_off_in_the_middle_lose_nothing(scene: Scene) {
    let (hub, net, site, _agent) = over_the_net(&scene).await;
    let mut tasks = Vec::new();
    for round in 0..3 {
        // One at a time: a second cut would hit the next handshake, and the back-off grows.
        net.cut_answers(1);
        tasks.extend(append(&hub, &site, round * 5..(round + 1) * 5).await);
        each_once(&hub, &site, &tasks).await;
        assert_eq!(net.answers_to_cut(), 0, "it was cut");
    }
}

async fn a_receipt_that_breaks_off_is_asked_for_again(scene: Scene) {
    let (hub, net, site, _agent) = over_the_net(&scene).await;
    let id = hub.submit("north", "sleep", json!({ "ms": 500 })).await;
    let people = hub.people();
    until("it is begun", async || {
        (people.task(id, None).await.expect("it is there").summary.status.as_str() == "in_progress").then_some(())
    })
    .await;
    net.cut_answers(1);
    let said = "results could not be reported; they will be sent again";
    until("the receipt is lost", async || site.log().contains(said).then_some(())).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    let next = append(&hub, &site, 0..1).await;
    each_once(&hub, &site, &[vec![id], next].concat()).await;
}

async fn a_delivery_that_the_net_swallowed_comes_again_as_the_same_attempt(scene: Scene) {
    let (hub, net, site, _agent) = over_the_net(&scene).await;
    let first = append(&hub, &site, 0..1).await;
    each_once(&hub, &site, &first).await;
    net.stall();
    let tasks = append(&hub, &site, 1..2).await;
    let people = hub.people();
    until("it is handed out into the void", async || {
        (people.task(tasks[0], None).await.expect("it is there").summary.attempt == 1).then_some(())
    })
    .await;
    net.cut();
    net.mend();
    each_once(&hub, &site, &[first, tasks].concat()).await;
}

async fn an_agent_that_is_refused_for_a_while_comes_back(scene: Scene) {
    let (hub, net, site, _agent) = over_the_net(&scene).await;
    net.refuse();
    let tasks = append(&hub, &site, 0..5).await;
    let said = "the hub cannot be asked; it will be tried again";
    until("the agent has noticed", async || site.log().contains(said).then_some(())).await;
    net.mend();
    each_once(&hub, &site, &tasks).await;
}

async fn a_net_that_stalls_and_goes_on_is_no_trouble_at_all(scene: Scene) {
    let (hub, net, site, _agent) = over_the_net(&scene).await;
    let first = append(&hub, &site, 0..1).await;
    each_once(&hub, &site, &first).await;
    net.stall();
    let tasks = append(&hub, &site, 1..6).await;
    net.mend();
    each_once(&hub, &site, &[first, tasks].concat()).await;
    assert!(!site.log().contains("cannot be asked"), "{}", site.log());
}

/// A hub and an agent that reaches it through a net only.
async fn over_the_net(scene: &Scene) -> (RunningHub<'_>, Net, Site<'_>, RunningAgent) {
    let plan = scene.hub();
    let net = Net::to(&plan.url()).await;
    let hub = plan.setting("url", net.url()).start().await;
    let site = hub.site("north").await;
    let agent = site.start();
    let people = hub.people();
    until("the agent is heard", async || people.node("north").await.expect("it has enrolled").heard_at.map(drop)).await;
    (hub, net, site, agent)
}

async fn append(hub: &RunningHub<'_>, site: &Site<'_>, lines: std::ops::Range<u32>) -> Vec<TaskId> {
    let mut tasks = Vec::new();
    for line in lines {
        let payload = json!({ "path": site.files().join("journal"), "line": line.to_string() });
        tasks.push(hub.submit("north", "file.append", payload).await);
    }
    tasks
}

async fn each_once(hub: &RunningHub<'_>, site: &Site<'_>, tasks: &[TaskId]) {
    let mut appended = 0;
    for id in tasks {
        let task = hub.ended(*id).await;
        appended += usize::from(task.summary.type_name == "file.append");
        assert_eq!((task.summary.status.as_str(), task.summary.attempt), ("completed", 1), "{task:?}");
    }
    let lines = site.lines("journal");
    assert_eq!(lines.len(), appended, "{lines:?}");
    assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), appended, "{lines:?}");
    assert_eq!(hub.events("task.completed").await.len(), tasks.len(), "each end is told once");
}
