//! Much at once is told at once: in one mail, however much it is.

use counterparts::{SmtpPlan, SmtpSink};
use sortie_wire::notifications::NotificationState;
use stories::{Scene, on_both_engines, until};

use crate::help::{heat_is_an_alarm, log, mails, on_call, part_is_hot, with_mail};

on_both_engines!(a_storm_is_one_mail);

const PARTS: usize = 80;

async fn a_storm_is_one_mail(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    heat_is_an_alarm(&hub).await;
    let node = hub.hand_node("north").await;
    for part in 0..PARTS {
        part_is_hot(&node, Some(format!("part-{part}")), true).await;
    }
    until("all of them are raised", async || (hub.events("alarm.opened").await.len() == PARTS).then_some(())).await;
    let (plan, _status) = hub.stop().await;
    // Whoever comes back, or is upgraded, finds all of it at once.
    let before = plan.sql("select min(number) - 1 from events where kind = 'alarm.opened'").concat();
    let hub = plan.start().await;
    on_call(&hub).await;
    let (plan, _status) = hub.stop().await;
    plan.sql(&format!("update event_followers set number = {before} where name = 'notifications'"));
    let hub = plan.start().await;
    until("all of it is told", async || {
        let all = log(&hub).await;
        (all.len() == PARTS && all.iter().all(|one| one.state == NotificationState::Sent)).then_some(())
    })
    .await;
    let mails = mails(&sink, 1).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, format!("[critical] {PARTS} alarms"));
    let named = mails[0].text.matches("box.hot at north (part-").count();
    assert_eq!((named, mails[0].text.contains("and 30 more")), (50, true), "{}", mails[0].text);
}
