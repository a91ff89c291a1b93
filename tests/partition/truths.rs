//! What holds when all roads are open again, whatever has happened on them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Status;
use sortie_wire::audit::{AuditOutcome, AuditQuery};
use sortie_wire::events::{Event, EventQuery};
use sortie_wire::tasks::{TaskQuery, TaskSummary};
use stories::{Ended, Program, RunningHub, until_within};

use crate::clients::Clients;
use crate::country::Country;
use crate::places::Place;

/// How long anything may take to come right. The longest is an agent whose held wait ended unheard: it asks anew after
/// 65 seconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// Most rows in one page.
const PAGE: u32 = 1000;

/// Mends all roads, waits until everything has come to its end, and looks whether it is right.
pub(crate) async fn check(country: &mut Country<'_>, clients: &mut Clients) {
    country.roads.heal();
    clients.finish(PATIENCE).await;
    let tasks = all_have_ended(country).await;
    each_was_done_once(country, clients, &tasks);
    all_is_told_once(country, &tasks).await;
    the_log_is_whole(country, &tasks).await;
    country.leader().await;
    assert_eq!(country.one.plan().sql("select count(*) from leaders"), ["1"], "one leads");
    country.all_are_there().await;
    country.nobody_has_ended();
}

/// Waits until every task has ended, as both hubs tell it alike.
async fn all_have_ended(country: &Country<'_>) -> Vec<TaskSummary> {
    let mut open = Vec::new();
    let ended = until_within(PATIENCE, async || {
        let (one, other) = (tasks(&country.one).await, tasks(&country.other).await);
        open = one.iter().filter(|task| !task.status.is_terminal()).cloned().collect();
        (open.is_empty() && one == other).then_some(one)
    })
    .await;
    ended.unwrap_or_else(|| panic!("with all roads open, these wait for ever, or the hubs tell differently: {open:#?}"))
}

/// Every acknowledged submission is one task that ended well, and its line stands once at its site. No others.
fn each_was_done_once(country: &Country<'_>, clients: &Clients, tasks: &[TaskSummary]) {
    let acknowledged: BTreeMap<TaskId, _> = clients.acknowledged().map(|(id, order)| (*id, order)).collect();
    let there: BTreeSet<TaskId> = tasks.iter().map(|task| task.id).collect();
    assert_eq!(there, acknowledged.keys().copied().collect(), "the tasks are those that were acknowledged");
    for task in tasks {
        assert_eq!(task.status, Status::Completed, "{task:?}");
    }
    for (place, site) in Place::AGENTS.into_iter().zip(&country.sites) {
        let mut lines = site.lines("journal");
        lines.sort();
        let mut orders: Vec<_> =
            acknowledged.values().filter(|order| order.place == place).map(|order| order.line.clone()).collect();
        orders.sort();
        assert_eq!(lines, orders, "at {} each line was written once", place.name());
    }
}

/// Events are numbered without a gap, both hubs tell the same, and of each task they tell one beginning and one end.
async fn all_is_told_once(country: &Country<'_>, tasks: &[TaskSummary]) {
    // What was committed is told once it has its number, which takes a leader.
    country.one.events("site.changed").await;
    let (one, other) = (events(&country.one).await, events(&country.other).await);
    for (event, number) in one.iter().zip(1..) {
        assert_eq!(event.number, number, "events are numbered without a gap");
    }
    let many = one.len().min(other.len());
    assert!(one[..many] == other[..many], "both hubs tell the same");
    let mut told: BTreeMap<(TaskId, &str), u32> = BTreeMap::new();
    for event in &one {
        if let Some(task) = event.task {
            *told.entry((task, &event.kind)).or_default() += 1;
        }
    }
    for task in tasks {
        for kind in ["task.submitted", "task.completed"] {
            assert_eq!(told.get(&(task.id, kind)), Some(&1), "{kind} is told once of {task:?}");
        }
    }
}

/// The audit log's chain is whole, and each submission stands in it once.
async fn the_log_is_whole(country: &Country<'_>, tasks: &[TaskSummary]) {
    let file = country.one.scene().folder().join("log");
    let _before = std::fs::remove_file(&file);
    let file = file.to_str().expect("a plain name");
    country.one.sortie(&["audit", "export", "--out", file]).well();
    Ended::of(Program::Sortie.command().args(["audit", "verify", file])).well();
    let (people, mut noted, mut after) = (country.other.people(), Vec::new(), None);
    loop {
        let (action, outcome) = (Some("task.submit".to_owned()), Some(AuditOutcome::Done));
        let query = AuditQuery { action, outcome, after, limit: Some(PAGE), ..AuditQuery::default() };
        let page = people.audit(&query).await.expect("a hub whose roads are open answers");
        noted.extend(page.items.into_iter().filter_map(|link| Some(link.entry.object?.id)));
        after = page.next.map(|next| next.parse().expect("a link's number"));
        if after.is_none() {
            break;
        }
    }
    noted.sort();
    let mut done: Vec<String> = tasks.iter().map(|task| task.id.to_string()).collect();
    done.sort();
    assert!(noted == done, "each submission stands in the log once: {} of {}", noted.len(), done.len());
}

/// All tasks, as this hub tells it.
async fn tasks(hub: &RunningHub<'_>) -> Vec<TaskSummary> {
    let (people, mut all, mut after) = (hub.people(), Vec::new(), None);
    loop {
        let query = TaskQuery { after, limit: Some(PAGE), ..TaskQuery::default() };
        let page = people.tasks(&query).await.expect("a hub whose roads are open answers");
        all.extend(page.items);
        after = page.next.map(|next| next.parse().expect("a task's id"));
        if after.is_none() {
            return all;
        }
    }
}

/// All events, as this hub tells it.
async fn events(hub: &RunningHub<'_>) -> Vec<Event> {
    let (people, mut all) = (hub.people(), Vec::<Event>::new());
    loop {
        let after = Some(all.last().map_or(0, |event| event.number));
        let query = EventQuery { after, limit: Some(PAGE), ..EventQuery::default() };
        let page = people.events(&query).await.expect("a hub whose roads are open answers");
        if page.items.is_empty() {
            return all;
        }
        all.extend(page.items);
    }
}
