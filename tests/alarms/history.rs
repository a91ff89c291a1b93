//! Looking back at what happened.

use serde_json::json;
use sortie_rules::limits::HISTORY_DAYS_KEPT;
use sortie_rules::time::{Millis, Span};
use sortie_wire::history::{HistoryPoint, HistoryQuery, HistorySeries, HistoryStep};
use stories::{Engine, HandNode, HandSet, RunningHub, Scene, now, on_both_engines, until};

use crate::help::silent_for;

on_both_engines!(
    what_happens_at_a_node_is_found_in_its_history_and_in_the_org_s,
    history_goes_on_after_the_hub_was_killed_and_old_buckets_go,
);

const DAY: i64 = 86_400_000;

/// The last days of a node, or of the org, up to now by the story's clock.
async fn days(hub: &RunningHub<'_>, node: Option<&str>, from: Millis, until: Millis) -> Vec<HistoryPoint> {
    let query = HistoryQuery { from: Some(from), until: Some(until), ..HistoryQuery::default() };
    let people = hub.people();
    let history = match node {
        Some(node) => people.node_history(node, &query).await,
        None => people.org_history(&query).await,
    };
    history.expect("an administrator may").points
}

/// Does a task to its end at a node.
async fn work(hub: &RunningHub<'_>, node: &HandNode, name: &str, is_done: bool) {
    let id = hub.submit(name, "sleep", json!({ "ms": 0 })).await;
    let task = node.take_one().await;
    let result = match is_done {
        true => HandNode::completed(&task, json!({ "slept_ms": 0 })),
        false => HandNode::failed(&task, "no_disk", false),
    };
    node.report(&result).await.expect("a result in order is taken");
    hub.ended(id).await;
}

async fn what_happens_at_a_node_is_found_in_its_history_and_in_the_org_s(scene: Scene) {
    let clock = HandSet::new(&scene);
    // The middle of a day of last week, by UTC.
    let noon = Millis((now().0.div_euclid(DAY) - 5) * DAY) + Span::hours(12);
    clock.show(noon);
    let plan = clock.for_hub(scene.hub()).setting("presence.check_every_s", 1).setting("presence.flush_every_s", 1);
    let hub = plan.start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    south.wait(0, 0).await;
    work(&hub, &north, "north", true).await;
    work(&hub, &north, "north", true).await;
    work(&hub, &north, "north", false).await;
    let today = noon - Span::hours(12);
    let counted = until("three tasks are counted", async || {
        let points = days(&hub, Some("north"), today, noon + Span::hours(1)).await;
        let tasks = points[0].tasks?;
        (tasks.completed == 2 && tasks.failed == 1).then_some(points)
    })
    .await;
    assert_eq!((counted.len(), counted[0].at), (1, today));
    assert_eq!(counted[0].backups.map(|backups| backups.completed + backups.missed), Some(0));
    // Both fall silent: half an hour later they are stale, and only north comes back, an hour after that.
    let (plan, _status) = hub.stop().await;
    for name in ["north", "south"] {
        silent_for(&plan, name, Span::minutes(31));
    }
    clock.show(noon + Span::minutes(31));
    let hub = plan.start().await;
    until("both are stale", async || (hub.events("node.stale").await.len() == 2).then_some(())).await;
    clock.show(noon + Span::minutes(91));
    north.start_again();
    north.wait(0, 0).await;
    until("north is back", async || (!hub.events("node.recovered").await.is_empty()).then_some(())).await;
    clock.show(noon + Span::hours(12) - Span::minutes(1));
    let near = |online: Option<f64>, expected: f64| online.is_some_and(|online| (online - expected).abs() < 0.01);
    let last = noon + Span::hours(12);
    // South was online for half an hour of half a day, north for all but one hour of it; it may fall silent again by
    // now.
    until("the silence is entered", async || {
        let of = days(&hub, Some("south"), today, last).await;
        near(of[0].online, 31.0 / 719.0).then_some(())
    })
    .await;
    let query = HistoryQuery {
        series: Some(HistorySeries::Presence),
        from: Some(noon),
        until: Some(noon + Span::hours(2)),
        step: Some(HistoryStep::Hour),
    };
    let hours = until("that north came back is entered", async || {
        let hours = hub.people().node_history("north", &query).await.expect("an administrator may").points;
        near(hours[1].online, 29.0 / 60.0).then_some(hours)
    })
    .await;
    assert!(near(hours[0].online, 31.0 / 60.0), "{hours:?}");
    assert!(hours.iter().all(|point| point.tasks.is_none() && point.backups.is_none()));
    let fleet = hub.people().org_history(&query).await.expect("an administrator may").points;
    assert!(near(fleet[0].online, 62.0 / 60.0) && near(fleet[1].online, 29.0 / 60.0), "{fleet:?}");
    let whole = days(&hub, None, today, last).await;
    assert_eq!(whole[0].tasks.map(|tasks| (tasks.completed, tasks.failed)), Some((2, 1)));
    let said = hub.sortie(&["node", "history", "north", "--days", "7"]).well().stdout;
    // The command asks for the last days by its own clock, and the hub's day is the second of those.
    assert!(said.contains('█') && said.lines().count() == 3, "{said}");
    let none = HistoryQuery { from: Some(noon), until: Some(noon), ..HistoryQuery::default() };
    let refused = hub.people().org_history(&none).await.expect_err("there is nothing in between");
    assert_eq!(refused.problem().map(|problem| problem.status), Some(400));
    let long = HistoryQuery { from: Some(Millis(0)), step: Some(HistoryStep::Hour), ..HistoryQuery::default() };
    assert!(hub.people().org_history(&long).await.is_err());
}

async fn history_goes_on_after_the_hub_was_killed_and_old_buckets_go(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let mut hub = hub;
    for _ in 0..3 {
        work(&hub, &node, "north", true).await;
        hub = hub.kill().await.start().await;
        node.start_again();
    }
    let from = now() - Span::days(1);
    let counted = async || {
        let points = days(&hub, Some("north"), from, now()).await;
        points.iter().filter_map(|point| point.tasks).map(|tasks| tasks.completed).sum::<u64>()
    };
    until("all are counted", async || (counted().await >= 3).then_some(())).await;
    assert_eq!(counted().await, 3, "each once");
    // Rows that are older than they are kept for.
    let old = now() - HISTORY_DAYS_KEPT - Span::days(2);
    hub.plan().sql(&format!("update history set at = {} where step = 'day'", old.0 - old.0.rem_euclid(DAY)));
    let hub = hub.kill().await.start().await;
    until("they are forgotten", async || {
        let points = days(&hub, Some("north"), old - Span::days(2), old + Span::days(2)).await;
        points.iter().all(|point| point.tasks.is_some_and(|tasks| tasks.completed == 0)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn several_hubs_count_each_task_once() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    let other = hub.plan().beside("other").start().await;
    let node = hub.hand_node("north").await;
    for _ in 0..4 {
        work(&hub, &node, "north", true).await;
    }
    let _down = hub.kill().await;
    let id = other.submit("north", "sleep", json!({ "ms": 0 })).await;
    other.people().cancel_task(id).await.expect("an administrator may");
    let from = now() - Span::days(1);
    let tasks = until("all of them are counted", async || {
        let points = days(&other, None, from, now()).await;
        let sum = |count: fn(&sortie_wire::history::HistoryTasks) -> u64| {
            points.iter().filter_map(|point| point.tasks.as_ref().map(count)).sum::<u64>()
        };
        let (completed, rest) = (sum(|tasks| tasks.completed), sum(|tasks| tasks.other));
        (completed + rest >= 5).then_some((completed, rest))
    })
    .await;
    assert_eq!(tasks, (4, 1));
}
