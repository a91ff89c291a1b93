//! Backups that are expected by a time of day.

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use sortie_rules::ids::{Id, OutboxId};
use sortie_rules::time::{Millis, Span};
use sortie_wire::alarms::AlarmState;
use sortie_wire::backups::PutBackupDeadline;
use sortie_wire::events::{Event, SendEvent, SendEvents};
use sortie_wire::jobs::Selector;
use sortie_wire::reports::SendReport;
use stories::{Engine, HandNode, HandSet, RunningHub, Scene, looks_again, now, on_both_engines, until};

use crate::help::{ask, becomes, of_rule, somebody};

on_both_engines!(
    a_backup_that_is_not_done_in_time_is_missed_once_a_day_and_caught_up,
    a_hub_that_was_away_judges_the_newest_day_once_and_not_at_once,
    deadlines_are_said_as_they_must_be,
    events_of_nodes_are_taken_once_and_only_of_their_backups,
);

const DAY: i64 = 86_400_000;

/// Expects backups of `home` at some nodes by this minute of the day in UTC, every day.
fn by(minute: i64, names: &[&str]) -> PutBackupDeadline {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    PutBackupDeadline {
        selector: Selector { all: names.is_empty(), names, ..Selector::default() },
        target: "home".into(),
        by: format!("{:02}:{:02}", minute / 60, minute % 60),
        time_zone: "UTC".into(),
        days: Vec::new(),
        grace_s: Some(60),
    }
}

/// Reports that the newest good backup of a target was then.
async fn backed_up(node: &HandNode, target: &str, at: Option<Millis>) {
    let facts = json!({ "completed_at": at.map(rfc3339), "bytes": 7 });
    let facts = serde_json::value::to_raw_value(&facts).expect("a JSON value is JSON");
    let (kind, subject, source) = ("backup".into(), Some(target.to_owned()), "backup".into());
    let report = SendReport { kind, subject, taken_at: Millis(1), source, facts };
    node.line().report(node.id, &report).await.expect("a report in order is taken");
}

fn rfc3339(at: Millis) -> String {
    timestamp(at).to_string()
}

/// The day in UTC.
fn day_of(at: Millis) -> Value {
    json!(timestamp(at).strftime("%Y-%m-%d").to_string())
}

fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at.0).expect("it is within the calendar")
}

/// A minute of a day in UTC, counted from one of last week's: hubs make certificates at their start, which nobody
/// believes before their time.
fn at(day: i64, minute: i64) -> Millis {
    Millis((now().0.div_euclid(DAY) - 6 + day) * DAY) + Span::minutes(minute)
}

/// A hub that was started on the day before the first.
async fn hub<'s>(scene: &'s Scene, clock: &HandSet) -> RunningHub<'s> {
    clock.show(at(-1, 12 * 60));
    clock.for_hub(scene.hub()).start().await
}

async fn of_kind(hub: &RunningHub<'_>, kind: &str) -> Vec<Event> {
    hub.events(kind).await
}

/// Waits until so many backups were missed.
async fn missed(hub: &RunningHub<'_>, count: usize) -> Vec<Event> {
    until(&format!("{count} were missed"), async || {
        Some(of_kind(hub, "backup.missed").await).filter(|all| all.len() >= count)
    })
    .await
}

/// Waits until the deadlines have been looked at.
async fn looked(hub: &RunningHub<'_>) {
    looks_again(hub, "judge_backups").await;
}

/// Shows this moment, and lets the time pass from then in which nodes can report to a hub that has slept: no step is
/// another sleep.
async fn passes(hub: &RunningHub<'_>, clock: &HandSet, moment: Millis) {
    for minutes in [0, 4, 8, 11] {
        clock.show(moment + Span::minutes(minutes));
        looked(hub).await;
    }
}

async fn a_backup_that_is_not_done_in_time_is_missed_once_a_day_and_caught_up(scene: Scene) {
    let clock = HandSet::new(&scene);
    let hub = hub(&scene, &clock).await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    hub.people().set_backup_deadline("nightly", &by(6 * 60, &[])).await.expect("an administrator may");
    clock.show(at(0, 5 * 60));
    backed_up(&north, "home", Some(at(0, 4 * 60))).await;
    backed_up(&south, "home", Some(at(-1, 23 * 60))).await;
    passes(&hub, &clock, at(0, 5 * 60 + 49)).await;
    assert!(of_kind(&hub, "backup.missed").await.is_empty(), "reports have a minute");
    clock.show(at(0, 6 * 60 + 2));
    let first = missed(&hub, 1).await;
    assert_eq!(first[0].node, Some(south.id));
    let data = &first[0].data;
    assert_eq!((&data["target"], &data["deadline"]), (&json!("home"), &json!("nightly")));
    assert_eq!((&data["due_at"], &data["day"]), (&json!(at(0, 6 * 60)), &day_of(at(0, 0))));
    assert_eq!(data["completed_at"], json!(at(-1, 23 * 60)), "the last good one");
    let alarm = becomes(&hub, "backup.missed", AlarmState::Open).await;
    assert_eq!((alarm.node, alarm.subject.as_deref()), (Some(south.id), Some("home")));
    looked(&hub).await;
    assert_eq!(of_kind(&hub, "backup.missed").await.len(), 1, "once");
    // Of another target, and of the day before, nothing is caught up.
    backed_up(&south, "mail", Some(at(0, 6 * 60))).await;
    backed_up(&south, "home", Some(at(-1, 23 * 60 + 30))).await;
    backed_up(&south, "home", Some(at(0, 6 * 60 + 1))).await;
    let over = becomes(&hub, "backup.missed", AlarmState::Resolved).await;
    assert_eq!(over.id, alarm.id);
    backed_up(&south, "home", Some(at(0, 6 * 60 + 1))).await;
    let caught_up = of_kind(&hub, "backup.caught_up").await;
    assert_eq!(caught_up.len(), 1, "once: {caught_up:?}");
    assert_eq!(caught_up[0].data, json!({ "target": "home", "completed_at": at(0, 6 * 60 + 1) }));
    // The next day neither has done it, and then neither has the day after: one alarm each, seen twice.
    for (day, count) in [(1, 3), (2, 5)] {
        passes(&hub, &clock, at(day, 6 * 60 + 2)).await;
        assert_eq!(missed(&hub, count).await.len(), count);
    }
    let alarms = until("both days are seen", async || {
        let live = of_rule(&hub, "backup.missed").await;
        let live: Vec<_> = live.into_iter().filter(|alarm| alarm.state == AlarmState::Open).collect();
        live.iter().all(|alarm| alarm.seen == 2).then_some(live)
    })
    .await;
    assert_eq!(alarms.iter().map(|alarm| alarm.node).collect::<Vec<_>>().len(), 2);
}

async fn a_hub_that_was_away_judges_the_newest_day_once_and_not_at_once(scene: Scene) {
    let clock = HandSet::new(&scene);
    let hub = hub(&scene, &clock).await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let silent = hub.hand_node("silent").await;
    hub.people().set_backup_deadline("nightly", &by(6 * 60, &["north", "south"])).await.expect("an administrator may");
    backed_up(&north, "home", Some(at(-1, 600))).await;
    let plan = hub.kill().await;
    clock.show(at(2, 7 * 60));
    let hub = plan.start().await;
    looked(&hub).await;
    assert!(of_kind(&hub, "backup.missed").await.is_empty(), "nodes have not had time to report");
    backed_up(&north, "home", Some(at(2, 3 * 60))).await;
    passes(&hub, &clock, at(2, 7 * 60)).await;
    let all = missed(&hub, 1).await;
    looked(&hub).await;
    assert_eq!(of_kind(&hub, "backup.missed").await.len(), 1, "the days before are not known: {all:?}");
    assert_eq!((all[0].node, &all[0].data["day"]), (Some(south.id), &day_of(at(2, 0))));
    let again = hub.kill().await.start().await;
    passes(&again, &clock, at(2, 8 * 60)).await;
    assert_eq!(of_kind(&again, "backup.missed").await.len(), 1);
    // Who comes after the deadline is not late that day.
    again.people().set_backup_deadline("morning", &by(9 * 60, &[])).await.expect("an administrator may");
    clock.show(at(2, 9 * 60) + Span::seconds(10));
    let late = again.hand_node("late").await;
    passes(&again, &clock, at(2, 9 * 60 + 2)).await;
    let all = missed(&again, 2).await;
    looked(&again).await;
    assert_eq!(of_kind(&again, "backup.missed").await.len(), 2, "that south has missed its day was told");
    assert_eq!(all[1].node, Some(silent.id), "and not {}, which came later", late.id);
}

async fn deadlines_are_said_as_they_must_be(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.hand_node("north").await;
    let path = "/api/v1/backup-deadlines/nightly";
    let good = json!({ "selector": { "names": ["north"] }, "target": "home", "by": "06:00", "time_zone": "UTC" });
    for (field, value, at) in [
        ("target", json!(""), "/target"),
        ("by", json!("6 o'clock"), "/by"),
        ("by", json!("25:00"), "/by"),
        ("time_zone", json!("Europe/Atlantis"), "/time_zone"),
        ("time_zone", json!("../../etc/passwd"), "/time_zone"),
        ("days", json!(["someday"]), "/days"),
        ("grace_s", json!(-1), "/grace_s"),
        ("selector", json!({}), "/selector"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let refused = hub.request(Method::PUT, path).json(&bad).send().await;
        assert_eq!((refused.status, refused.problem().pointer.as_deref()), (422, Some(at)), "{bad}: {refused:?}");
    }
    let viewer = somebody(&hub, "viewer").await;
    assert_eq!(ask(&hub, &viewer, Method::PUT, path, &good).await.status, 403);
    let words = ["set", "nightly", "--target", "home", "--by", "06:00", "--zone", "Europe/Budapest", "--node", "north"];
    let said = hub.sortie(&[&["deadline"][..], &words].concat()).well();
    assert!(said.stderr.contains("06:00 (Europe/Budapest)"), "{}", said.stderr);
    hub.sortie(&[&["deadline"][..], &words].concat()).well();
    assert_eq!(of_kind(&hub, "backup_deadline.changed").await.len(), 1, "the same again is no change");
    let listed = hub.sortie(&["deadline", "list"]).well().stdout;
    assert!(["nightly", "home", "north", "every day"].iter().all(|word| listed.contains(word)), "{listed}");
    hub.sortie(&["deadline", "remove", "nightly"]).well();
    assert!(hub.people().backup_deadlines().await.unwrap().items.is_empty());
    let gone = hub.request(Method::DELETE, path).send().await;
    assert_eq!(gone.problem().code.as_str(), "unknown_backup_deadline");
}

fn told(number: u64, kind: &str, data: Value) -> SendEvent {
    SendEvent { number, kind: kind.into(), data: data.as_object().expect("it is one").clone() }
}

fn outbox(number: u128) -> OutboxId {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

async fn events_of_nodes_are_taken_once_and_only_of_their_backups(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let completed = |number| {
        told(
            number,
            "backup.completed",
            json!({ "target": "home", "completed_at": "2026-03-29T04:12:09Z", "bytes": number }),
        )
    };
    let send = async |outbox, events: Vec<SendEvent>| node.line().events(node.id, &SendEvents { outbox, events }).await;
    send(outbox(1), vec![completed(1), completed(2)]).await.expect("events in order are taken");
    // What was lost on the way back is sent again, with more.
    send(outbox(1), vec![completed(1), completed(2), completed(3)]).await.expect("a repeat is no fault");
    send(outbox(2), vec![completed(1)]).await.expect("another data folder counts anew");
    let all = of_kind(&hub, "backup.completed").await;
    let bytes: Vec<_> = all.iter().map(|event| event.data["bytes"].clone()).collect();
    assert_eq!(bytes, [json!(1), json!(2), json!(3), json!(1)]);
    assert!(all.iter().all(|event| event.node == Some(node.id) && event.actor == "north"));
    let failed =
        told(2, "backup.failed", json!({ "target": "home", "failed_at": "2026-03-29T05:00:00Z", "error": "no disk" }));
    send(outbox(2), vec![failed]).await.expect("events in order are taken");
    becomes(&hub, "backup.failed", AlarmState::Open).await;
    send(outbox(2), vec![completed(3)]).await.expect("events in order are taken");
    becomes(&hub, "backup.failed", AlarmState::Resolved).await;
    for bad in [
        told(9, "node.down", json!({})),
        told(9, "backup.missed", json!({ "target": "home" })),
        told(9, "backup.completed", json!({ "target": "home" })),
        told(9, "backup.completed", json!({ "target": "home", "completed_at": "now" })),
        told(9, "backup.failed", json!({ "target": "home", "failed_at": "2026-03-29T05:00:00Z", "node": "south" })),
        told(0, "backup.completed", json!({ "target": "home", "completed_at": "2026-03-29T04:12:09Z" })),
    ] {
        let refused = send(outbox(2), vec![bad.clone()]).await.expect_err("it is none of a node's");
        assert_eq!(refused.problem().map(|problem| problem.status), Some(422), "{bad:?}");
    }
    assert_eq!(of_kind(&hub, "backup").await.len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_hubs_tell_of_each_missed_backup_once_and_the_second_goes_on_when_the_first_dies() {
    let scene = Scene::new(Engine::Postgres);
    let clock = HandSet::new(&scene);
    let hub = hub(&scene, &clock).await;
    let other = hub.plan().beside("other").start().await;
    let mut nodes = Vec::new();
    for number in 0..5 {
        nodes.push(hub.hand_node(&format!("box-{number}")).await);
    }
    other.people().set_backup_deadline("nightly", &by(6 * 60, &[])).await.expect("an administrator may");
    passes(&hub, &clock, at(0, 6 * 60 + 2)).await;
    missed(&other, 5).await;
    let _down = hub.kill().await;
    passes(&other, &clock, at(1, 6 * 60 + 2)).await;
    let all = missed(&other, 10).await;
    looked(&other).await;
    assert_eq!(of_kind(&other, "backup.missed").await.len(), 10);
    for node in nodes {
        let mut days: Vec<_> = all.iter().filter(|one| one.node == Some(node.id)).map(|one| &one.data["day"]).collect();
        days.dedup();
        assert_eq!(days.len(), 2, "each day once");
    }
}
