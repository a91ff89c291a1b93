//! Of what comes again and again people are told once, and of what still stands then once more.

use counterparts::{SmtpPlan, SmtpSink};
use sortie_wire::notifications::NotificationState;
use stories::{Scene, on_both_engines};

use crate::help::{becomes, heat_is_an_alarm, hot, hours_pass, log, mail_about, mails, on_call, with_mail};

on_both_engines!(what_flaps_is_told_once_within_the_cool_down_and_later_if_it_still_stands);

async fn what_flaps_is_told_once_within_the_cool_down_and_later_if_it_still_stands(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    let node = hub.hand_node("north").await;
    hot(&node, true).await;
    becomes(&hub, 1, NotificationState::Sent).await;
    hot(&node, false).await;
    becomes(&hub, 2, NotificationState::Sent).await;
    // A second time: neither its beginning nor its end.
    hot(&node, true).await;
    let held = becomes(&hub, 3, NotificationState::HeldBack).await;
    assert_eq!((held.why.as_deref(), held.due_at.is_some()), (Some("cool_down"), true));
    hot(&node, false).await;
    let never = becomes(&hub, 4, NotificationState::HeldBack).await;
    assert_eq!((never.why.as_deref(), never.due_at), (Some("never_told"), None));
    assert_eq!(log(&hub).await[2].due_at, None, "it is over, and never told");
    // A third time, and it stands: it is told when the cool-down is over.
    hot(&node, true).await;
    let held = becomes(&hub, 5, NotificationState::HeldBack).await;
    let shown = hub.sortie(&["notification", "list", "--held"]).well().stdout;
    assert!(shown.contains("cool_down, until") && shown.contains("never_told"), "{shown}");
    assert_eq!(mails(&sink, 2).await.len(), 2);
    hours_pass(hub.plan(), 1);
    let told = becomes(&hub, 5, NotificationState::Sent).await;
    assert_eq!((told.id, told.why.as_deref()), (held.id, Some("cool_down")), "that it was held back is not forgotten");
    assert_eq!(mails(&sink, 3).await.len(), 3);
    hours_pass(hub.plan(), 1);
    hot(&node, false).await;
    becomes(&hub, 6, NotificationState::Sent).await;
    mail_about(&sink, "[resolved]").await;
}
