//! A hub that is away: the agent keeps what it has done, however both are killed meanwhile, and
//! keeps trying.

use std::collections::BTreeSet;

use serde_json::json;
use sortie_rules::ids::TaskId;
use stories::{HubPlan, RunningAgent, RunningHub, Scene, Site, on_sqlite, until};

on_sqlite!(
    results_are_kept_while_the_hub_is_dead_and_sent_when_it_is_back,
    results_outlast_the_death_of_both,
    an_agent_that_starts_before_its_hub_says_so_and_keeps_trying,
);

const LINES: usize = 50;

async fn results_are_kept_while_the_hub_is_dead_and_sent_when_it_is_back(scene: Scene) {
    let (plan, site, _agent, tasks) = works_while_the_hub_is_dead(&scene).await;
    let hub = plan.start().await;
    all_completed_once(&hub, &site, &tasks).await;
}

async fn results_outlast_the_death_of_both(scene: Scene) {
    let (plan, site, agent, tasks) = works_while_the_hub_is_dead(&scene).await;
    agent.kill().await;
    let _agent = site.start();
    let begun = "the ledger holds work from before this start";
    until("the agent is up again", async || site.log().contains(begun).then_some(())).await;
    let hub = plan.start().await;
    all_completed_once(&hub, &site, &tasks).await;
}

async fn an_agent_that_starts_before_its_hub_says_so_and_keeps_trying(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let plan = hub.kill().await;
    let mut agent = site.start();
    until("it has tried twice", async || {
        (site.log().matches("the hub cannot be asked; it will be tried again").count() >= 2).then_some(())
    })
    .await;
    let log = site.log();
    assert!(log.contains("nobody took the connection") && log.contains("wait_ms="), "{log}");
    assert!(agent.process.ended().is_none());
    let hub = plan.start().await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    assert!(site.log().contains("the line to the hub works again"), "{}", site.log());
}

/// One agent holds a delivery whose first task takes a while; the hub is killed meanwhile, and the
/// rest is done without it.
async fn works_while_the_hub_is_dead(scene: &Scene) -> (HubPlan<'_>, Site<'_>, RunningAgent, Vec<TaskId>) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await.setting("concurrency", 1).setting("prefetch", 99);
    let site = site.setting("log_level", "debug");
    let mut tasks = vec![hub.submit("north", "sleep", json!({ "ms": 1000 })).await];
    for line in 0..LINES {
        let append = json!({ "path": site.files().join("journal"), "line": line.to_string() });
        tasks.push(hub.submit("north", "file.append", append).await);
    }
    let agent = site.start();
    let people = hub.people();
    until("everything is handed out", async || {
        let last = people.task(tasks[LINES], None).await.expect("it is there");
        (last.summary.status.as_str() == "in_progress").then_some(())
    })
    .await;
    // The delivery may be on its way still; once a run begins, all of it is in the agent's ledger.
    until("the first has begun", async || site.log().contains("a run begins").then_some(())).await;
    let plan = hub.kill().await;
    assert!(site.lines("journal").is_empty(), "the first task takes longer than that");
    let kept = || site.log().matches("the end of a run is kept").count();
    until("all is done without the hub, and kept", async || (kept() == LINES + 1).then_some(())).await;
    (plan, site, agent, tasks)
}

async fn all_completed_once(hub: &RunningHub<'_>, site: &Site<'_>, tasks: &[TaskId]) {
    for id in tasks {
        let task = hub.ended(*id).await;
        assert_eq!((task.summary.status.as_str(), task.summary.attempt), ("completed", 1), "{task:?}");
    }
    let lines = site.lines("journal");
    assert_eq!(lines.len(), LINES, "each line once: {lines:?}");
    assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), LINES);
    let ends = hub.events("task.completed").await;
    assert_eq!(ends.len(), tasks.len(), "each end is told once");
}
