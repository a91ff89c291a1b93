//! A mail server that is away, a hub that dies, an address that bounces: nothing is lost, and nothing told twice.

use counterparts::{SmtpPlan, SmtpSink, free_port};
use sortie_rules::time::Span;
use sortie_wire::notifications::NotificationState;
use stories::{HandSet, RunningHub, Scene, on_both_engines, on_sqlite, until};

use crate::help::{becomes, heat_is_an_alarm, hot, log, mails, on_call, with_mail};

on_both_engines!(a_hub_that_dies_before_it_has_sent_sends_it_once_under_the_same_identity);
on_sqlite!(
    a_mail_server_that_is_away_for_a_day_gets_it_once,
    an_address_that_bounces_is_told_and_not_tried_again,
    what_cannot_be_sent_for_three_days_is_given_up,
);

/// Waits until there is a dispatch that was tried in vain, and returns its identity.
async fn tried_in_vain(hub: &RunningHub<'_>) -> String {
    let id = until("a try has failed", async || {
        hub.plan().sql("select id from dispatches where code = 'mail_server'").pop()
    });
    let id = id.await.replace('-', "");
    format!("<msg_{id}@sortie.example>")
}

async fn a_hub_that_dies_before_it_has_sent_sends_it_once_under_the_same_identity(scene: Scene) {
    let port = free_port();
    let hub = with_mail(scene.hub(), port).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    let node = hub.hand_node("north").await;
    hot(&node, true).await;
    let id = tried_in_vain(&hub).await;
    let plan = hub.kill().await;
    let sink = SmtpSink::start(SmtpPlan { port: Some(port), ..SmtpPlan::default() });
    let hub = plan.start().await;
    assert_eq!(mails(&sink, 1).await[0].id, id);
    becomes(&hub, 1, NotificationState::Sent).await;
    let hub = hub.kill().await.start().await;
    // Another alarm shows that the hub is at work again.
    hot(&hub.hand_node("south").await, true).await;
    becomes(&hub, 2, NotificationState::Sent).await;
    assert_eq!(mails(&sink, 2).await.iter().filter(|mail| mail.id == id).count(), 1);
}

async fn a_mail_server_that_is_away_for_a_day_gets_it_once(scene: Scene) {
    let (port, clock) = (free_port(), HandSet::new(&scene));
    let hub = with_mail(clock.for_hub(scene.hub()), port).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    hot(&hub.hand_node("north").await, true).await;
    let id = tried_in_vain(&hub).await;
    clock.set("+1d");
    // It was due long ago, and fails once more; the next try is later by minutes.
    let tries = async || hub.plan().sql("select tries from dispatches").pop()?.parse::<u32>().ok();
    let before = tries().await.expect("it was tried");
    until("it was tried a day later", async || tries().await.filter(|tries| *tries > before)).await;
    let sink = SmtpSink::start(SmtpPlan { port: Some(port), ..SmtpPlan::default() });
    clock.ahead(Span::hours(25));
    becomes(&hub, 1, NotificationState::Sent).await;
    let mails = mails(&sink, 1).await;
    assert_eq!((mails.len(), &mails[0].id), (1, &id));
}

async fn an_address_that_bounces_is_told_and_not_tried_again(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan { size_max: Some(100), ..SmtpPlan::default() });
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    hot(&hub.hand_node("north").await, true).await;
    let failed = becomes(&hub, 1, NotificationState::Failed).await;
    assert_eq!(failed.why.as_deref(), Some("mail_refused"));
    let told = hub.events("notification.failed").await;
    let data = &told[0].data;
    assert_eq!((told.len(), &data["code"], &data["recipient"]), (1, &"mail_refused".into(), &"on-call".into()));
    assert_eq!(hub.plan().sql("select tries from dispatches"), ["1"]);
    let test = hub.sortie(&["recipient", "test", "on-call"]);
    assert_eq!((test.code, test.stderr.contains("the mail did not arrive")), (Some(1), true), "{test:?}");
    assert!(test.stdout.contains("mail_refused"), "{test:?}");
}

async fn what_cannot_be_sent_for_three_days_is_given_up(scene: Scene) {
    let hub = with_mail(scene.hub(), free_port()).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    hot(&hub.hand_node("north").await, true).await;
    tried_in_vain(&hub).await;
    let days = 3 * 24 * 3_600_000;
    hub.plan().sql(&format!("update dispatches set since = since - {days}, next_at = 1"));
    let given_up = becomes(&hub, 1, NotificationState::GivenUp).await;
    assert_eq!(given_up.why.as_deref(), Some("mail_server"));
    assert_eq!(log(&hub).await.len(), 1);
}
