//! Nodes that fall silent.

use http::Method;
use serde_json::json;
use sortie_rules::alarms::Severity;
use sortie_rules::liveness::Presence;
use sortie_rules::time::Span;
use sortie_wire::alarms::AlarmState;
use stories::{HubPlan, RunningHub, Scene, on_both_engines, until};

use crate::help::{alarms, are_told, becomes, much_is_told, of_rule, silent_for};

on_both_engines!(
    a_node_that_falls_silent_is_one_alarm_after_the_other_and_its_return_ends_them,
    a_node_that_comes_and_goes_is_told_in_turn,
    a_node_that_is_shut_out_takes_its_alarms_with_it,
    a_node_that_enrols_anew_is_not_missed_any_more,
    each_kind_of_node_has_its_own_thresholds_and_a_node_may_have_others,
);

/// Thresholds of seconds, looked at each second.
fn quick<'s>(plan: HubPlan<'s>, stale_after_s: u32, down_after_s: u32) -> HubPlan<'s> {
    let plan = plan.setting("presence.stale_after_s", stale_after_s).setting("presence.down_after_s", down_after_s);
    plan.setting("presence.check_every_s", 1).setting("presence.flush_every_s", 1)
}

async fn a_node_that_falls_silent_is_one_alarm_after_the_other_and_its_return_ends_them(scene: Scene) {
    let hub = quick(scene.hub(), 1, 3).start().await;
    let node = hub.hand_node("north").await;
    node.wait(0, 0).await;
    let stale = becomes(&hub, "node.stale", AlarmState::Open).await;
    assert_eq!(
        (stale.severity, stale.node, stale.node_name.as_deref()),
        (Severity::Warning, Some(node.id), Some("north"))
    );
    assert_eq!(stale.data["kind"], "node.stale");
    let down = becomes(&hub, "node.down", AlarmState::Open).await;
    assert_eq!((down.severity, down.seen), (Severity::Critical, 1));
    becomes(&hub, "node.stale", AlarmState::Resolved).await;
    node.wait(0, 0).await;
    let over = becomes(&hub, "node.down", AlarmState::Resolved).await;
    assert_eq!((over.id, over.opened_at), (down.id, down.opened_at));
    assert!(over.resolved_at > over.opened_at && over.opened_at.is_some());
    let told = [
        ("alarm.opened", "node.stale"),
        ("alarm.resolved", "node.stale"),
        ("alarm.opened", "node.down"),
        ("alarm.resolved", "node.down"),
    ];
    much_is_told(&hub, told.len()).await;
    let said = hub.events("alarm").await;
    let of_node: Vec<_> = said.iter().filter(|event| event.node == Some(node.id)).collect();
    assert_eq!(of_node[3].data["alarm"], serde_json::json!(down.id));
    assert_eq!((&of_node[2].data["severity"], &of_node[2].data["summary"]), (&"critical".into(), &down.summary.into()));
}

async fn a_node_that_comes_and_goes_is_told_in_turn(scene: Scene) {
    let hub = quick(scene.hub(), 1, 3600).start().await;
    let node = hub.hand_node("north").await;
    for round in 1..=3 {
        node.wait(0, 0).await;
        until("it is stale", async || {
            let all = of_rule(&hub, "node.stale").await;
            (all.len() == round && all[round - 1].state == AlarmState::Open).then_some(())
        })
        .await;
        node.wait(0, 0).await;
        until("it is back", async || {
            let all = of_rule(&hub, "node.stale").await;
            let ended = all.iter().filter(|alarm| alarm.state == AlarmState::Resolved).count();
            (ended >= round).then_some(())
        })
        .await;
    }
    let said = crate::help::told(&hub).await;
    for (number, (kind, _)) in said.iter().enumerate() {
        let expected = if number % 2 == 0 { "alarm.opened" } else { "alarm.resolved" };
        assert_eq!(kind, expected, "{said:?}");
    }
}

async fn a_node_that_is_shut_out_takes_its_alarms_with_it(scene: Scene) {
    let hub = quick(scene.hub(), 1, 3600).start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    north.wait(0, 0).await;
    south.wait(0, 0).await;
    until("both are missed", async || (of_rule(&hub, "node.stale").await.len() == 2).then_some(())).await;
    hub.people().revoke_node("north").await.expect("an administrator may");
    until("its alarm is over", async || {
        let all = alarms(&hub).await;
        let is_over = |alarm: &&sortie_wire::alarms::Alarm| alarm.state == AlarmState::Resolved;
        (all.iter().filter(is_over).map(|alarm| alarm.node).collect::<Vec<_>>() == [Some(north.id)]).then_some(())
    })
    .await;
    let left = of_rule(&hub, "node.stale").await;
    assert!(left.iter().any(|alarm| alarm.node == Some(south.id) && alarm.state == AlarmState::Open));
}

async fn a_node_that_enrols_anew_is_not_missed_any_more(scene: Scene) {
    let hub = quick(scene.hub(), 1, 3600).start().await;
    hub.hand_node("north").await.wait(0, 0).await;
    becomes(&hub, "node.stale", AlarmState::Open).await;
    let invite = hub.sortie(&["invite", "create", "--node", "north", "--replace"]).well().stdout;
    let _never_heard = hub.hand_node_with(invite.trim()).await;
    becomes(&hub, "node.stale", AlarmState::Resolved).await;
    are_told(&hub, &[("alarm.opened", "node.stale"), ("alarm.resolved", "node.stale")]).await;
}

async fn each_kind_of_node_has_its_own_thresholds_and_a_node_may_have_others(scene: Scene) {
    let plan = quick(scene.hub(), 1800, 3600);
    let plan =
        plan.setting("presence.kinds.guest.stale_after_s", 600).setting("presence.kinds.guest.down_after_s", 1200);
    let mut hub = plan.start().await;
    for (name, kind) in [("host", "host"), ("guest", "guest"), ("patient", "guest")] {
        let invite = hub.sortie(&["invite", "create", "--node", name, "--kind", kind]).well().stdout;
        hub.hand_node_with(invite.trim()).await.wait(0, 0).await;
    }
    let own = json!({ "stale_after": 2_700_000, "down_after": 5_400_000 });
    assert_eq!(hub.request(Method::PATCH, "/api/v1/nodes/patient").json(&own).send().await.status, 200);
    let (online, stale, down) = (Presence::Online, Presence::Stale, Presence::Down);
    are_said(&hub, [online, online, online]).await;
    for (minutes, said) in [
        (11, [online, stale, online]),
        (21, [online, down, online]),
        (31, [stale, down, online]),
        (46, [stale, down, stale]),
        (61, [down, down, stale]),
        (91, [down, down, down]),
    ] {
        let (plan, _status) = hub.stop().await;
        for name in ["host", "guest", "patient"] {
            silent_for(&plan, name, Span::minutes(minutes));
        }
        hub = plan.start().await;
        are_said(&hub, said).await;
    }
    let told = hub.events("node.stale").await.len() + hub.events("node.down").await.len();
    assert_eq!(told, 6, "each once");
}

/// Waits until this is said of the host, the guest and the patient guest.
async fn are_said(hub: &RunningHub<'_>, expected: [Presence; 3]) {
    until(&format!("they are {expected:?}"), async || {
        let mut said = Vec::new();
        for name in ["host", "guest", "patient"] {
            said.push(hub.people().node(name).await.expect("it has enrolled").presence);
        }
        (said == expected).then_some(())
    })
    .await;
}
