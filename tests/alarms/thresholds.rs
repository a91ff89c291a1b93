//! From when on the rules that every hub has find something wrong, and until when. Time passes by what is written down
//! being moved into the past.

use sortie_rules::limits::{
    CERTIFICATE_ENDS_WITHIN, CLOCK_RIGHT_WITHIN, CLOCK_SKEWED_FROM, HELD_UP_WAITS_MAX, KEYS_LAG_TOLD_AFTER,
};
use sortie_rules::time::{Millis, Span};
use sortie_wire::alarms::AlarmState;
use sortie_wire::deliveries::WaitQuery;
use sortie_wire::hub_keys::{Rotatable, RotateKeys};
use sortie_wire::refusals::{RefusalReport, RefusedDeliveries};
use stories::{HandNode, RunningHub, Scene, looks_again, on_both_engines, on_sqlite, turns, until};

use crate::help::{alarms, are_told, becomes, of_rule, silent_for, time_passes};

on_both_engines!(
    silence_is_found_from_half_an_hour_on_and_again_from_an_hour_on,
    a_certificate_is_found_when_a_quarter_of_its_life_is_left,
);
on_sqlite!(
    a_clock_is_found_two_minutes_off_and_right_within_one,
    keys_that_a_node_does_not_know_are_found_after_an_hour,
    what_a_site_refuses_is_over_a_day_after_the_last_time,
    a_quarantine_lasts_until_somebody_readmits,
);

/// So little that a story is through before it has passed.
const NEARLY: Span = Span::minutes(2);

/// The names of the nodes of which alarms of this rule are open.
async fn open(hub: &RunningHub<'_>, rule: &str) -> Vec<String> {
    let all = of_rule(hub, rule).await.into_iter().filter(|alarm| alarm.state == AlarmState::Open);
    let mut names: Vec<String> = all.filter_map(|alarm| alarm.node_name).collect();
    names.sort();
    names
}

async fn silence_is_found_from_half_an_hour_on_and_again_from_an_hour_on(scene: Scene) {
    let hub = scene.hub().setting("presence.check_every_s", 1).start().await;
    let (half, hour) = (Span::minutes(30), Span::minutes(60));
    let before = |span: Span| Span(span.0 - NEARLY.0);
    let nodes = [("a", before(half)), ("b", half), ("c", before(hour)), ("d", hour)];
    for (name, _) in nodes {
        hub.hand_node(name).await.wait(0, 0).await;
    }
    until("they are there", async || (hub.events("node.online").await.len() == nodes.len()).then_some(())).await;
    let (plan, _status) = hub.stop().await;
    nodes.iter().for_each(|(name, span)| silent_for(&plan, name, *span));
    let hub = plan.start().await;
    until("those are found", async || {
        let (stale, down) = (open(&hub, "node.stale").await, open(&hub, "node.down").await);
        (stale == ["b", "c"] && down == ["d"]).then_some(())
    })
    .await;
    let (plan, _status) = hub.stop().await;
    for (name, span) in nodes {
        silent_for(&plan, name, span + NEARLY);
    }
    let hub = plan.start().await;
    until("and those a little later", async || {
        let (stale, down) = (open(&hub, "node.stale").await, open(&hub, "node.down").await);
        (stale == ["a", "b"] && down == ["c", "d"]).then_some(())
    })
    .await;
    assert_eq!(alarms(&hub).await.len(), 5, "each once; one has gone from stale to down");
}

async fn a_certificate_is_found_when_a_quarter_of_its_life_is_left(scene: Scene) {
    let hub = scene.hub().start().await;
    for name in ["before", "after"] {
        hub.hand_node(name).await;
    }
    let plan = hub.kill().await;
    for (name, left) in [("before", CERTIFICATE_ENDS_WITHIN + NEARLY), ("after", CERTIFICATE_ENDS_WITHIN)] {
        let until = stories::now() + left;
        plan.sql(&format!("update nodes set certificate_until = {} where name = '{name}'", until.0));
    }
    let hub = plan.start().await;
    becomes(&hub, "node.certificate", AlarmState::Open).await;
    assert_eq!(open(&hub, "node.certificate").await, ["after"]);
    let plan = hub.kill().await;
    plan.sql(&format!("update nodes set certificate_until = certificate_until - {}", NEARLY.0));
    let hub = plan.start().await;
    until("the other is found", async || (open(&hub, "node.certificate").await == ["after", "before"]).then_some(()))
        .await;
    assert_eq!(hub.events("node.certificate_ending").await.len(), 2, "each once");
}

/// A wait that says that the node's clock is ahead by so much.
async fn ahead(node: &HandNode, span: Span) {
    let mut wait = node.next_wait(0, 0);
    wait.clock = Some(stories::now() + span);
    node.try_wait(&wait).await.expect("a wait in order is answered");
}

async fn a_clock_is_found_two_minutes_off_and_right_within_one(scene: Scene) {
    let hub = scene.hub().start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let little = Span::seconds(20);
    ahead(&north, Span(CLOCK_SKEWED_FROM.0 - little.0)).await;
    ahead(&south, CLOCK_SKEWED_FROM + little).await;
    becomes(&hub, "node.clock", AlarmState::Open).await;
    assert_eq!(open(&hub, "node.clock").await, ["south"]);
    ahead(&south, CLOCK_RIGHT_WITHIN + little).await;
    ahead(&north, CLOCK_SKEWED_FROM + little).await;
    until("the other is found", async || (open(&hub, "node.clock").await == ["north", "south"]).then_some(())).await;
    ahead(&south, Span(CLOCK_RIGHT_WITHIN.0 - little.0)).await;
    until("it is right", async || (open(&hub, "node.clock").await == ["north"]).then_some(())).await;
}

async fn keys_that_a_node_does_not_know_are_found_after_an_hour(scene: Scene) {
    let plan = scene.hub();
    let ago = |span: Span| {
        let by = format!("-{}m", span.0 / 60_000);
        plan.clone().under(&["faketime", "--exclude-monotonic", "-f", &by]).variable("NO_FAKE_STAT", "1")
    };
    let hub = ago(KEYS_LAG_TOLD_AFTER + NEARLY).start().await;
    let node = hub.hand_node("north").await;
    let from = hub.people().hub_keys().await.unwrap().version;
    let rotate = RotateKeys { what: Rotatable::Delivery, from, at_once: true };
    hub.people().rotate_keys(&rotate).await.expect("an administrator may");
    hub.kill().await;
    let hub = ago(NEARLY + NEARLY).start().await;
    until("it has looked", async || (turns(&hub, "tell_key_lag").await > 0).then_some(())).await;
    assert_eq!(hub.events("node.keys_lag").await.len(), 0, "an hour has not passed");
    hub.kill().await;
    let hub = plan.start().await;
    assert_eq!(becomes(&hub, "node.keys", AlarmState::Open).await.node, Some(node.id));
    let mut wait = node.next_wait(0, 0);
    wait.keys = Some(hub.people().hub_keys().await.unwrap().version);
    // What it gets is signed with the key that it was not told of.
    node.line().wait(node.id, &wait).await.expect("a wait in order is answered");
    let hub = hub.kill().await.start().await;
    becomes(&hub, "node.keys", AlarmState::Resolved).await;
    are_told(&hub, &[("alarm.opened", "node.keys"), ("alarm.resolved", "node.keys")]).await;
}

async fn what_a_site_refuses_is_over_a_day_after_the_last_time(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let refuse = async |times: u64| {
        let refused = RefusedDeliveries {
            code: "bad_signature".to_owned(),
            times,
            number: Some(7),
            message: "no".to_owned(),
            first_at: Millis(1),
            last_at: Millis(2),
        };
        let report = RefusalReport { refused: vec![refused] };
        node.line().refusals(node.id, &report).await.expect("a report in order is kept");
    };
    refuse(1).await;
    let first = becomes(&hub, "delivery.refused", AlarmState::Open).await;
    assert_eq!(first.subject.as_deref(), Some("bad_signature"));
    let day = Span::days(1).0 / 1000;
    time_passes(hub.plan(), day - 60);
    refuse(2).await;
    until("it is seen again", async || (of_rule(&hub, "delivery.refused").await[0].seen == 2).then_some(())).await;
    time_passes(hub.plan(), day - 60);
    looks_again(&hub, "alarms").await;
    assert_eq!(becomes(&hub, "delivery.refused", AlarmState::Open).await.id, first.id);
    time_passes(hub.plan(), 60);
    becomes(&hub, "delivery.refused", AlarmState::Resolved).await;
    are_told(&hub, &[("alarm.opened", "delivery.refused"), ("alarm.resolved", "delivery.refused")]).await;
}

async fn a_quarantine_lasts_until_somebody_readmits(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    // Two starts that both go on speaking.
    let older = node.next_wait(0, 0);
    node.try_wait(&older).await.expect("a wait in order is answered");
    node.start_again();
    node.wait(0, 0).await;
    for seq in 2..=u64::from(HELD_UP_WAITS_MAX) + 2 {
        node.try_wait(&WaitQuery { seq, ..older }).await.expect_err("a newer start has spoken");
    }
    becomes(&hub, "node.quarantined", AlarmState::Open).await;
    hub.sortie(&["node", "readmit", "north"]).well();
    becomes(&hub, "node.quarantined", AlarmState::Resolved).await;
}
