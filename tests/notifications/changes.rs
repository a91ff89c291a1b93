//! What people and nodes change between the beginning of an alarm and its end.

use counterparts::{SmtpPlan, SmtpSink};
use serde_json::json;
use sortie_rules::time::Span;
use sortie_wire::jobs::Selector;
use sortie_wire::maintenance::StartMaintenance;
use sortie_wire::nodes::ChangeNode;
use sortie_wire::notifications::NotificationState;
use stories::{Scene, on_both_engines};

use crate::help::{becomes, heat_is_an_alarm, hot, log, mails, recipient, with_mail};

on_both_engines!(
    whoever_was_told_that_it_began_hears_that_it_is_over_wherever_the_node_is_by_then,
    whoever_wants_no_more_by_then_is_not_told_what_was_held_back,
);

async fn whoever_was_told_that_it_began_hears_that_it_is_over_wherever_the_node_is_by_then(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    for (name, kind) in [("old", "host"), ("new", "pc")] {
        let mail = format!("{name}@sortie.example");
        recipient(&hub, json!({ "name": name, "audience": "operator", "mail": mail, "nodes": { "kind": kind } })).await;
    }
    heat_is_an_alarm(&hub).await;
    let node = hub.hand_node("north").await;
    hot(&node, true).await;
    becomes(&hub, 1, NotificationState::Sent).await;
    let change = ChangeNode { kind: Some("pc".into()), ..ChangeNode::default() };
    hub.people().change_node("north", &change).await.expect("an administrator may");
    hot(&node, false).await;
    becomes(&hub, 2, NotificationState::Sent).await;
    let all = mails(&sink, 2).await;
    assert!(all.iter().all(|mail| mail.to.contains("old@")), "{all:?}");
    assert_eq!(log(&hub).await.len(), 2);
}

async fn whoever_wants_no_more_by_then_is_not_told_what_was_held_back(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    let wants = json!({ "name": "on-call", "audience": "operator", "mail": "on-call@sortie.example" });
    recipient(&hub, wants.clone()).await;
    heat_is_an_alarm(&hub).await;
    let node = hub.hand_node("north").await;
    let selector = Selector { all: true, ..Selector::default() };
    let lasts = Some(Span::hours(1));
    let start = StartMaintenance { reason: "new disks".into(), selector, from: None, until: None, lasts };
    let work = hub.people().start_maintenance(&start).await.expect("an administrator may");
    hot(&node, true).await;
    becomes(&hub, 1, NotificationState::HeldBack).await;
    let mut muted = wants;
    muted["mutes"] = json!(["box.*"]);
    recipient(&hub, muted).await;
    hub.sortie(&["maintenance", "end", &work.id.to_string()]).well();
    let never = stories::until("it is not told at all", async || {
        log(&hub).await.into_iter().next().filter(|one| one.why.as_deref() == Some("not_wanted"))
    })
    .await;
    assert_eq!((never.state, never.due_at), (NotificationState::HeldBack, None));
    assert!(sink.mails().is_empty());
}
