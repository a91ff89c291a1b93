//! While people work on a node nobody is told what begins there; what still stands afterwards they are told then.

use counterparts::{SmtpPlan, SmtpSink};
use sortie_rules::time::{Millis, Span};
use sortie_wire::jobs::Selector;
use sortie_wire::maintenance::{Maintenance, StartMaintenance};
use sortie_wire::notifications::NotificationState;
use stories::{RunningHub, Scene, now, on_both_engines, until};

use crate::help::{becomes, heat_is_an_alarm, hot, hours_pass, log, mail_about, mails, on_call, with_mail};

on_both_engines!(
    what_begins_in_maintenance_is_told_when_that_ends_if_it_still_stands,
    maintenance_that_goes_on_holds_back_what_was_due,
);

async fn works_on(hub: &RunningHub<'_>, node: &str, from: Option<Millis>, lasts: Span) -> Maintenance {
    let selector = Selector { names: vec![node.to_owned()], ..Selector::default() };
    let start = StartMaintenance { reason: "new disks".into(), selector, from, until: None, lasts: Some(lasts) };
    hub.people().start_maintenance(&start).await.expect("an administrator may")
}

async fn what_begins_in_maintenance_is_told_when_that_ends_if_it_still_stands(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let work = works_on(&hub, "north", None, Span::hours(2)).await;
    hot(&north, true).await;
    let held = becomes(&hub, 1, NotificationState::HeldBack).await;
    assert_eq!((held.why.as_deref(), held.due_at), (Some("maintenance"), Some(work.until)));
    // Its end is told to nobody, and nor is its beginning then.
    hot(&north, false).await;
    let never = becomes(&hub, 2, NotificationState::HeldBack).await;
    assert_eq!((never.why.as_deref(), log(&hub).await[0].due_at), (Some("never_told"), None));
    hot(&north, true).await;
    becomes(&hub, 3, NotificationState::HeldBack).await;
    // Others are told of as ever.
    hot(&south, true).await;
    becomes(&hub, 4, NotificationState::Sent).await;
    assert_eq!(mails(&sink, 1).await.len(), 1);
    // They are ready sooner.
    hub.sortie(&["maintenance", "end", &work.id.to_string()]).well();
    let told = becomes(&hub, 3, NotificationState::Sent).await;
    assert_eq!(told.why.as_deref(), Some("maintenance"), "that it was held back is not forgotten");
    mail_about(&sink, "north").await;
    assert_eq!(mails(&sink, 2).await.len(), 2);
}

async fn maintenance_that_goes_on_holds_back_what_was_due(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    let node = hub.hand_node("north").await;
    let work = works_on(&hub, "north", None, Span::hours(1)).await;
    hot(&node, true).await;
    becomes(&hub, 1, NotificationState::HeldBack).await;
    let more = works_on(&hub, "north", Some(now()), Span::hours(3)).await;
    assert!(more.until > work.until);
    // What comes due while it lasts stays where it is.
    hours_pass(hub.plan(), 3);
    until("it is held back again", async || (log(&hub).await[0].due_at == Some(more.until)).then_some(())).await;
    assert_eq!(sink.mails().len(), 0);
    hub.sortie(&["maintenance", "end", &more.id.to_string()]).well();
    until("the first one holds it back", async || (log(&hub).await[0].due_at == Some(work.until)).then_some(())).await;
    hub.sortie(&["maintenance", "end", &work.id.to_string()]).well();
    becomes(&hub, 1, NotificationState::Sent).await;
    assert_eq!(mails(&sink, 1).await.len(), 1);
}
