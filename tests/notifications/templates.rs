//! Words of an org's own, and what happens when they fail.

use counterparts::{SmtpPlan, SmtpSink};
use serde_json::{Value, json};
use sortie_wire::notifications::{NotificationState, PutNotificationRule};
use stories::{RunningHub, Scene, on_sqlite};

use crate::help::{becomes, heat_is_an_alarm, hot, hours_pass, mail_about, on_call, with_mail};

on_sqlite!(an_org_tells_in_words_of_its_own, a_template_that_fails_is_told_and_the_alarm_is_too,);

async fn tell_by(hub: &RunningHub<'_>, rule: Value) {
    let put = PutNotificationRule { rule: Some(rule) };
    hub.people().set_notification_rule("operators", &put).await.expect("an administrator may");
}

fn in_words(subject: &str, text: &str) -> Value {
    json!({ "audience": "operator", "cool_down_s": 0, "template": { "subject": subject, "text": text } })
}

async fn an_org_tells_in_words_of_its_own(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    let text = "{% for alarm in alarms %}{{ alarm.rule }}/{{ alarm.node }}/{{ alarm.data.value }}{% endfor %} \
                {{ count }} {{ recipient }} {{ opened }} {{ hub_url }}";
    tell_by(&hub, in_words("Ours: {{ alarms[0].summary }}", text)).await;
    hot(&hub.hand_node("north").await, true).await;
    let mail = mail_about(&sink, "Ours: A box is hot.").await;
    assert_eq!(mail.text.trim(), format!("box.hot/north/True 1 on-call True {}", hub.url()));
}

async fn a_template_that_fails_is_told_and_the_alarm_is_too(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    let broken = json!({ "template": { "subject": "x", "text": "{% if %}" } });
    let refused = hub.people().set_notification_rule("operators", &PutNotificationRule { rule: Some(broken) }).await;
    assert!(refused.is_err(), "what can never be filled in is refused at once");
    tell_by(&hub, in_words("Ours", "{{ alarms[0].colour }}")).await;
    let node = hub.hand_node("north").await;
    hot(&node, true).await;
    let mail = mail_about(&sink, "[critical] box.hot at north").await;
    assert!(mail.text.contains("A box is hot.") && mail.text.contains("rule `operators` failed"), "{mail:?}");
    let told = becomes(&hub, 1, NotificationState::Sent).await;
    assert_eq!(told.why.as_deref(), Some("template_failed"));
    hours_pass(hub.plan(), 1);
    hot(&node, false).await;
    mail_about(&sink, "[resolved]").await;
    becomes(&hub, 2, NotificationState::Sent).await;
    let events = hub.events("notification.template_failed").await;
    assert_eq!((events.len(), &events[0].data["rule"]), (1, &"operators".into()), "it is told once");
}
