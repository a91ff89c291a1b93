//! Presence (B-24, B-25): who is heard, who has fallen silent, and one event for each change.

use sortie_rules::liveness::Presence;
use sortie_rules::time::Span;
use sortie_wire::nodes::{ChangeNode, NodeQuery};
use stories::{HubPlan, RunningHub, Scene, on_both_engines, until};

on_both_engines!(
    a_node_is_called_online_stale_down_and_recovered_each_once,
    a_node_may_have_thresholds_of_its_own,
    a_node_that_never_came_is_not_missed,
    a_held_wait_is_a_sign_of_life,
    nodes_can_be_listed_by_presence,
    a_hub_that_was_away_for_a_day_raises_no_alarm,
    a_return_is_remembered_even_if_the_hub_dies_at_once,
    a_node_that_stayed_away_is_missed_after_the_threshold_from_the_start_on,
);

/// Thresholds of seconds, looked at each second.
fn quick<'s>(plan: HubPlan<'s>, stale_after_s: u32, down_after_s: u32) -> HubPlan<'s> {
    let plan = plan.setting("presence.stale_after_s", stale_after_s).setting("presence.down_after_s", down_after_s);
    plan.setting("presence.check_every_s", 1).setting("presence.flush_every_s", 1)
}

async fn a_node_is_called_online_stale_down_and_recovered_each_once(scene: Scene) {
    let hub = quick(scene.hub(), 1, 3).start().await;
    let node = hub.hand_node("north").await;
    assert_eq!(hub.people().node("north").await.unwrap().presence, Presence::New);
    node.wait(0, 0).await;
    for presence in [Presence::Online, Presence::Stale, Presence::Down] {
        becomes(&hub, "north", presence).await;
    }
    node.wait(0, 0).await;
    becomes(&hub, "north", Presence::Online).await;
    until("its return is written down", async || (said(&hub).await.len() >= 5).then_some(())).await;
    let said = said(&hub).await;
    assert_eq!(said[..5], ["node.enrolled", "node.online", "node.stale", "node.down", "node.recovered"]);
}

async fn a_node_may_have_thresholds_of_its_own(scene: Scene) {
    let hub = quick(scene.hub(), 3600, 7200).start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let own =
        ChangeNode { stale_after: Some(Span::seconds(1)), down_after: Some(Span::seconds(2)), ..ChangeNode::default() };
    let changed = hub.people().change_node("north", &own).await.unwrap();
    assert_eq!((changed.stale_after, changed.down_after), (own.stale_after, own.down_after));
    north.wait(0, 0).await;
    south.wait(0, 0).await;
    becomes(&hub, "north", Presence::Down).await;
    assert_eq!(hub.people().node("south").await.unwrap().presence, Presence::Online);
    let hub = hub.kill().await.start().await;
    north.start_again();
    north.wait(0, 0).await;
    becomes(&hub, "north", Presence::Online).await;
    becomes(&hub, "north", Presence::Down).await;
}

async fn a_node_that_never_came_is_not_missed(scene: Scene) {
    let hub = quick(scene.hub(), 1, 1).start().await;
    let _never_heard = hub.hand_node("north").await;
    let heard = hub.hand_node("south").await;
    heard.wait(0, 0).await;
    becomes(&hub, "south", Presence::Down).await;
    assert_eq!(hub.people().node("north").await.unwrap().presence, Presence::New);
}

async fn a_held_wait_is_a_sign_of_life(scene: Scene) {
    let hub = quick(scene.hub(), 1, 2).start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    south.wait(0, 0).await;
    let held = async {
        north.wait(1, 50).await;
    };
    tokio::select! {
        () = held => panic!("nothing has come for it"),
        () = becomes(&hub, "south", Presence::Down) => {}
    }
    assert_eq!(hub.people().node("north").await.unwrap().presence, Presence::Online);
}

async fn nodes_can_be_listed_by_presence(scene: Scene) {
    let hub = quick(scene.hub(), 1, 3600).start().await;
    let _new = hub.hand_node("new").await;
    let silent = hub.hand_node("silent").await;
    silent.wait(0, 0).await;
    becomes(&hub, "silent", Presence::Stale).await;
    let heard = hub.hand_node("heard").await;
    let listed = async {
        becomes(&hub, "heard", Presence::Online).await;
        for (presence, name) in [(Presence::New, "new"), (Presence::Stale, "silent"), (Presence::Online, "heard")] {
            assert_eq!(names(&hub, Some(presence)).await, [name], "{presence:?}");
        }
        assert!(names(&hub, Some(Presence::Down)).await.is_empty());
        assert_eq!(names(&hub, None).await, ["heard", "new", "silent"]);
    };
    tokio::select! {
        _ = heard.wait(1, 50) => panic!("nothing has come for it"),
        () = listed => {}
    }
    let odd = hub.request(http::Method::GET, "/api/v1/nodes?presence=asleep").send().await;
    assert_eq!(odd.problem().code.as_str(), "malformed_parameter");
}

async fn a_hub_that_was_away_for_a_day_raises_no_alarm(scene: Scene) {
    let hub = quick(scene.hub(), 1800, 3600).start().await;
    let nodes = [hub.hand_node("north").await, hub.hand_node("south").await];
    for node in &nodes {
        node.wait(0, 0).await;
    }
    becomes(&hub, "north", Presence::Online).await;
    becomes(&hub, "south", Presence::Online).await;
    let (plan, status) = hub.stop().await;
    assert!(status.success());
    a_day_passes(&plan);
    // Looked at at the start and each second, with a sign of life from one of them only.
    let hub = plan.start().await;
    nodes[0].wait(0, 0).await;
    looked_at_presence(&hub, 3).await;
    assert_eq!(names(&hub, Some(Presence::Online)).await, ["north", "south"]);
    assert!(said(&hub).await.iter().all(|kind| kind == "node.enrolled" || kind == "node.online"));
}

async fn a_return_is_remembered_even_if_the_hub_dies_at_once(scene: Scene) {
    let hub = quick(scene.hub(), 1800, 3600).setting("presence.flush_every_s", 3600).start().await;
    let node = hub.hand_node("north").await;
    node.wait(0, 0).await;
    becomes(&hub, "north", Presence::Online).await;
    let plan = hub.kill().await;
    // Silent for long, and found to be.
    plan.sql("update node_signs set silent_since = silent_since - 86400000, presence = 'down'");
    let hub = plan.start().await;
    node.start_again();
    node.wait(0, 0).await;
    becomes(&hub, "north", Presence::Online).await;
    let hub = hub.kill().await.start().await;
    looked_at_presence(&hub, 1).await;
    assert_eq!(names(&hub, Some(Presence::Online)).await, ["north"]);
    assert_eq!(said(&hub).await, ["node.enrolled", "node.online", "node.recovered"]);
}

async fn a_node_that_stayed_away_is_missed_after_the_threshold_from_the_start_on(scene: Scene) {
    let hub = quick(scene.hub(), 4, 3600).start().await;
    let node = hub.hand_node("north").await;
    node.wait(0, 0).await;
    becomes(&hub, "north", Presence::Online).await;
    let plan = hub.kill().await;
    a_day_passes(&plan);
    let hub = plan.start().await;
    let node = hub.people().node("north").await.unwrap();
    assert_eq!(node.presence, Presence::Online, "the day in which nobody listened does not count");
    becomes(&hub, "north", Presence::Stale).await;
    assert_eq!(hub.events("node.stale").await.len(), 1);
    assert!(hub.events("node.down").await.is_empty());
}

/// What a hub finds that was down for a day: everything it wrote down is a day older.
fn a_day_passes(plan: &HubPlan<'_>) {
    plan.sql("update meta set value = cast(cast(value as bigint) - 86400000 as text) where key = 'alive_at'");
    plan.sql("update node_signs set heard_at = heard_at - 86400000, silent_since = silent_since - 86400000");
}

async fn becomes(hub: &RunningHub<'_>, node: &str, presence: Presence) {
    let people = hub.people();
    until(&format!("{node} is {}", presence.as_str()), async || {
        (people.node(node).await.expect("it has enrolled").presence == presence).then_some(())
    })
    .await;
}

/// Waits until every node's silence has been looked at so many times since the start.
async fn looked_at_presence(hub: &RunningHub<'_>, times: u64) {
    let counter = "sortie_loop_seconds_count{work=\"check_presence\"}";
    until("presence is looked at", async || {
        let (_, text) = hub.operations("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(counter))?;
        (line.trim().parse::<u64>().ok()? >= times).then_some(())
    })
    .await;
}

/// The kinds of all events about nodes, oldest first.
async fn said(hub: &RunningHub<'_>) -> Vec<String> {
    hub.events("node").await.into_iter().map(|event| event.kind).collect()
}

async fn names(hub: &RunningHub<'_>, presence: Option<Presence>) -> Vec<String> {
    let page = hub.people().nodes(&NodeQuery { presence, ..NodeQuery::default() }).await.unwrap();
    page.items.into_iter().map(|node| node.name).collect()
}
