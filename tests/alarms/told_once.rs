//! What the hub finds out by looking, it says once: certificates near their end, and nodes that lag behind the hub's
//! keys.

use sortie_wire::alarms::AlarmState;
use stories::{Scene, on_both_engines, until};

use crate::help::{are_told, becomes};

on_both_engines!(a_certificate_near_its_end_is_told_once_until_it_is_renewed, a_hub_begins_with_what_happens_next,);

async fn a_certificate_near_its_end_is_told_once_until_it_is_renewed(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _other = hub.hand_node("south").await;
    let plan = hub.kill().await;
    // Six days are left of thirty.
    plan.sql("update nodes set certificate_until = certificate_until - 24 * 86400000 where name = 'north'");
    let hub = plan.start().await;
    let ending = becomes(&hub, "node.certificate", AlarmState::Open).await;
    assert_eq!(ending.node_name.as_deref(), Some("north"));
    // Another start tells nothing of it again.
    let hub = hub.kill().await.start().await;
    assert_eq!(becomes(&hub, "node.certificate", AlarmState::Open).await.id, ending.id);
    assert_eq!(hub.events("node.certificate_ending").await.len(), 1);
    drop(site);
}

async fn a_hub_begins_with_what_happens_next(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.hand_node("north").await.wait(0, 0).await;
    until("it is told", async || (!hub.events("node.online").await.is_empty()).then_some(())).await;
    let (plan, _status) = hub.stop().await;
    // As an older hub has left it: events, and nobody who has followed them for alarms.
    plan.sql("update events set kind = 'node.down' where kind = 'node.online'");
    plan.sql("delete from event_followers");
    plan.sql("delete from alarms");
    let hub = plan.start().await;
    until("it has begun", async || (!hub.plan().sql("select number from event_followers").is_empty()).then_some(()))
        .await;
    hub.people().revoke_node("north").await.expect("an administrator may");
    are_told(&hub, &[]).await;
}
