//! A hub whose clock is put forward and back by a day: nobody is missed for it, nobody has come back by it, and people
//! are told of it once.

use serde_json::json;
use sortie_rules::time::Span;
use sortie_wire::alarms::{Alarm, AlarmState};
use stories::{HandNode, HandSet, HubPlan, RunningHub, Scene, looks_again, on_both_engines, until};

use crate::help::{alarms, are_told, becomes, of_rule, report, set_rule};

on_both_engines!(
    a_clock_that_jumps_while_the_hub_runs_raises_one_alarm_and_ends_none,
    a_clock_that_is_put_back_while_the_hub_is_away_ends_no_alarm,
);

const DAY: Span = Span::days(1);

/// A hub that goes by a clock of the story's, looks at silence each second, and writes it down.
fn by_clock<'s>(scene: &'s Scene, clock: &HandSet) -> HubPlan<'s> {
    let plan = scene.hub().setting("presence.check_every_s", 1).setting("presence.flush_every_s", 1);
    clock.variables().into_iter().fold(plan, |plan, (name, value)| plan.variable(name, value))
}

/// One that is heard, and one that has been silent for so long that it is down.
async fn one_there_and_one_down<'s>(hub: RunningHub<'s>) -> (RunningHub<'s>, HandNode, HandNode) {
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    for node in [&north, &south] {
        node.wait(0, 0).await;
    }
    until("both are there", async || (hub.events("node.online").await.len() == 2).then_some(())).await;
    let (plan, _status) = hub.stop().await;
    let two_hours = Span::hours(2).0;
    plan.sql(&format!(
        "update node_signs set silent_since = silent_since - {two_hours}
         where node = (select id from nodes where name = 'south')"
    ));
    let hub = plan.start().await;
    becomes(&hub, "node.down", AlarmState::Open).await;
    (hub, north, south)
}

/// A wait that says what the node's own clock shows, which is right.
async fn waits(node: &HandNode) {
    let mut wait = node.next_wait(0, 0);
    wait.clock = Some(stories::now());
    node.try_wait(&wait).await.expect("a wait in order is answered");
}

async fn alarm_of(hub: &RunningHub<'_>, rule: &str) -> Alarm {
    of_rule(hub, rule).await.pop().expect("it is there")
}

async fn a_clock_that_jumps_while_the_hub_runs_raises_one_alarm_and_ends_none(scene: Scene) {
    let clock = HandSet::new(&scene);
    let (hub, north, south) = one_there_and_one_down(by_clock(&scene, &clock).start().await).await;
    set_rule(
        &hub,
        json!({
            "name": "queue.long", "severity": "info", "summary": "A queue is long.", "hold_s": 3600,
            "facts": { "kind": "queue", "field": "/length", "above": 10 },
        }),
    )
    .await;
    report(&north, "queue", json!({ "length": 11 })).await;
    let due = becomes(&hub, "queue.long", AlarmState::Pending).await.due_at.expect("it waits");
    waits(&north).await;
    for (times, by, whole) in [(1, "+1d", DAY.0), (2, "+0d", 0)] {
        clock.set(by);
        until("the jump is told", async || (hub.events("hub.clock_jumped").await.len() == times).then_some(())).await;
        waits(&north).await;
        looks_again(&hub, "check_presence").await;
        looks_again(&hub, "flush_presence").await;
        looks_again(&hub, "alarms").await;
        let told = hub.events("hub.clock_jumped").await.pop().expect("it is told").data["by_ms"].as_i64();
        let sign = if times == 1 { 1 } else { -1 };
        assert!(told.is_some_and(|by_ms| (by_ms * sign - DAY.0).abs() < 60_000), "{told:?}");
        let waits = alarm_of(&hub, "queue.long").await;
        assert_eq!(waits.state, AlarmState::Pending, "an hour has not passed");
        assert!((waits.due_at.expect("it waits").0 - due.0 - whole).abs() < 60_000, "{waits:?}");
        assert_eq!(alarm_of(&hub, "hub.clock").await.seen, times as u32);
        assert_eq!(hub.events("node.clock").await.len(), 0, "no node's clock has moved");
    }
    // What happens afterwards is found as ever.
    south.wait(0, 0).await;
    becomes(&hub, "node.down", AlarmState::Resolved).await;
    are_told(&hub, &[("alarm.opened", "node.down"), ("alarm.opened", "hub.clock"), ("alarm.resolved", "node.down")])
        .await;
    assert_eq!(alarms(&hub).await.len(), 3);
}

async fn a_clock_that_is_put_back_while_the_hub_is_away_ends_no_alarm(scene: Scene) {
    let plan = scene.hub().setting("presence.check_every_s", 1);
    let (hub, north, _south) = one_there_and_one_down(plan.start().await).await;
    let (plan, _status) = hub.stop().await;
    // As it was written by a clock that was a day ahead.
    plan.sql(&format!("update node_signs set silent_since = silent_since + {0}, heard_at = heard_at + {0}", DAY.0));
    plan.sql(&format!(
        "update meta set value = cast(cast(value as bigint) + {} as text) where key = 'alive_at'",
        DAY.0
    ));
    let hub = plan.start().await;
    north.wait(0, 0).await;
    looks_again(&hub, "check_presence").await;
    looks_again(&hub, "alarms").await;
    are_told(&hub, &[("alarm.opened", "node.down")]).await;
    let heard = hub.people().node("south").await.unwrap().heard_at.expect("it was heard");
    assert!(heard <= stories::now(), "nobody was heard in the future");
}
