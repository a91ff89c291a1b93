//! An alarm is told once by mail, and so is its end.

use counterparts::{SmtpPlan, SmtpSink};
use serde_json::json;
use sortie_wire::notifications::NotificationState;
use stories::{Scene, on_both_engines, on_sqlite};

use crate::help::{becomes, heat_is_an_alarm, hot, hours_pass, log, mail_about, mails, on_call, recipient, with_mail};

on_both_engines!(an_alarm_is_told_once_and_so_is_its_end);
on_sqlite!(
    who_wants_less_is_told_less,
    a_recipient_that_is_removed_is_told_nothing_any_more,
    a_hub_begins_with_what_happens_next,
);

async fn an_alarm_is_told_once_and_so_is_its_end(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    let node = hub.hand_node("north").await;
    hot(&node, true).await;
    let begun = mail_about(&sink, "[critical] box.hot at north").await;
    assert_eq!(begun.to, "on-call@sortie.example");
    let alarm = hub.sortie_json(&["alarm", "list"])["items"][0]["id"].as_str().expect("it is open").to_owned();
    for said in ["A box is hot.", "north", "critical", &format!("sortie alarm show {alarm}")] {
        assert!(begun.text.contains(said), "`{said}` is not in {}", begun.text);
    }
    let told = becomes(&hub, 1, NotificationState::Sent).await;
    let dispatch = told.dispatch.expect("it went out with one").uuid().simple().to_string();
    assert_eq!(begun.id, format!("<msg_{dispatch}@sortie.example>"));
    assert_eq!((told.rule.as_str(), told.opened, told.why), ("operators", true, None));
    // The same again is nothing new.
    hot(&node, true).await;
    hours_pass(hub.plan(), 1);
    hot(&node, false).await;
    let over = mail_about(&sink, "[resolved] box.hot at north").await;
    assert!(over.text.contains("It is over.") && over.id != begun.id, "{over:?}");
    becomes(&hub, 2, NotificationState::Sent).await;
    assert_eq!((mails(&sink, 2).await.len(), log(&hub).await.len()), (2, 2));
    assert_eq!(hub.events("notification.sent").await.len(), 2);
}

async fn who_wants_less_is_told_less(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    let mail = |name: &str| format!("{name}@sortie.example");
    for (name, wish) in [
        ("all", json!({})),
        ("muted", json!({ "mutes": ["box.*"] })),
        ("off", json!({ "is_off": true })),
        ("elsewhere", json!({ "nodes": { "site": "nowhere" } })),
        ("here", json!({ "nodes": { "names": ["north"] } })),
    ] {
        let mut asked = json!({ "name": name, "audience": "operator", "mail": mail(name) });
        asked.as_object_mut().expect("an object").extend(wish.as_object().expect("an object").clone());
        recipient(&hub, asked).await;
    }
    heat_is_an_alarm(&hub).await;
    hot(&hub.hand_node("north").await, true).await;
    becomes(&hub, 2, NotificationState::Sent).await;
    let mut to: Vec<String> = mails(&sink, 2).await.into_iter().map(|mail| mail.to).collect();
    to.sort();
    assert_eq!(to, [mail("all"), mail("here")]);
    assert_eq!(log(&hub).await.len(), 2);
}

async fn a_recipient_that_is_removed_is_told_nothing_any_more(scene: Scene) {
    let hub = with_mail(scene.hub(), 1).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    let node = hub.hand_node("north").await;
    hot(&node, true).await;
    becomes(&hub, 1, NotificationState::Waiting).await;
    hub.people().remove_recipient("on-call").await.expect("an administrator may");
    hot(&node, false).await;
    let (plan, _status) = hub.stop().await;
    plan.sql("update dispatches set next_at = 1 where next_at is not null");
    let hub = plan.start().await;
    let failed = stories::until("it is given up", async || {
        log(&hub).await.into_iter().next().filter(|one| one.state != NotificationState::Waiting)
    })
    .await;
    assert!(failed.why.is_some_and(|why| why == "recipient_removed"));
    assert_eq!(log(&hub).await.len(), 1);
}

async fn a_hub_begins_with_what_happens_next(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    heat_is_an_alarm(&hub).await;
    let node = hub.hand_node("north").await;
    hot(&node, true).await;
    stories::until("it is raised", async || (!hub.events("alarm.opened").await.is_empty()).then_some(())).await;
    on_call(&hub).await;
    let (plan, _status) = hub.stop().await;
    // As an older hub has left it.
    plan.sql("delete from event_followers where name = 'notifications'");
    let hub = plan.start().await;
    let other = hub.hand_node("south").await;
    hot(&other, true).await;
    mail_about(&sink, "box.hot at south").await;
    assert_eq!(log(&hub).await.len(), 1);
}
