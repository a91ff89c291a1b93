//! Webhooks of recipients: judged by the reference library of Standard Webhooks, repeated under the same id, and never
//! sent where they should not go.

use counterparts::{SmtpPlan, SmtpSink, WebhookReceiver, free_port};
use serde_json::{Value, json};
use sortie_wire::notifications::{NotificationState, PutRecipient};
use stories::{RunningHub, Scene, looks_again, on_both_engines, on_sqlite, until};

use crate::help::{becomes, heat_is_an_alarm, hot, hours_pass, log, mail_about, on_call, recipient, with_mail};

on_both_engines!(a_webhook_is_believed_and_repeated_under_the_same_id);
on_sqlite!(
    a_receiver_that_is_gone_is_not_called_until_it_is_set_anew,
    a_redirect_is_not_followed_and_a_day_of_errors_is_outlasted,
    a_private_address_is_called_only_if_the_settings_list_it,
    a_receiver_that_hangs_holds_nobody_else_up,
    a_secret_is_shown_once,
);

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn portal(hub: &RunningHub<'_>, url: &str) {
    let recipient = json!({ "name": "portal", "audience": "operator", "webhook": url });
    let put = PutRecipient { recipient, webhook_secret: Some(SECRET.into()) };
    hub.people().set_recipient("portal", &put).await.expect("an administrator may");
}

/// Waits for the next call. The receiver comes back with it.
async fn next_call(mut receiver: WebhookReceiver) -> (Value, WebhookReceiver) {
    let (line, receiver) = tokio::task::spawn_blocking(move || (receiver.next_call(), receiver)).await.unwrap();
    (serde_json::from_str(&line).expect("JSON"), receiver)
}

async fn a_webhook_is_believed_and_repeated_under_the_same_id(scene: Scene) {
    let receiver = WebhookReceiver::start(SECRET, &[500, 204]);
    let hub = scene.hub().setting("outgoing.private", "127.0.0.1:*").start().await;
    portal(&hub, &receiver.url()).await;
    heat_is_an_alarm(&hub).await;
    let node = hub.hand_node("north").await;
    hot(&node, true).await;
    let (first, receiver) = next_call(receiver).await;
    let (second, receiver) = next_call(receiver).await;
    assert_eq!((&first["verified"], &second["verified"]), (&json!(true), &json!(true)), "{first} {second}");
    assert_eq!((&first["status"], &second["status"]), (&json!(500), &json!(204)));
    assert_eq!((&first["id"], &first["body"]), (&second["id"], &second["body"]));
    let told = becomes(&hub, 1, NotificationState::Sent).await;
    let dispatch = told.dispatch.expect("it went out with one").uuid().simple();
    assert_eq!(second["id"], format!("msg_{dispatch}"));
    let (body, alarm) = (&second["body"], &second["body"]["data"]["alarm"]);
    assert_eq!((&body["type"], &body["data"]["recipient"]), (&json!("alarm.opened"), &json!("portal")));
    assert_eq!(
        (&alarm["id"], &alarm["node"], &alarm["rule"]),
        (&json!(told.alarm), &json!("north"), &json!("box.hot"))
    );
    hours_pass(hub.plan(), 1);
    hot(&node, false).await;
    let (over, _receiver) = next_call(receiver).await;
    assert_eq!((&over["verified"], &over["body"]["type"]), (&json!(true), &json!("alarm.resolved")));
    assert!(over["body"]["data"]["alarm"]["resolved_at"].is_string(), "{over}");
}

async fn a_receiver_that_is_gone_is_not_called_until_it_is_set_anew(scene: Scene) {
    let receiver = WebhookReceiver::start(SECRET, &[410, 200]);
    let hub = scene.hub().setting("outgoing.private", "127.0.0.1:*").start().await;
    portal(&hub, &receiver.url()).await;
    heat_is_an_alarm(&hub).await;
    hot(&hub.hand_node("north").await, true).await;
    let failed = becomes(&hub, 1, NotificationState::Failed).await;
    assert_eq!(failed.why.as_deref(), Some("webhook_gone"));
    let shown = hub.people().recipient("portal").await.expect("an administrator may");
    assert!(shown.webhook_gone_at.is_some());
    assert_eq!(hub.events("recipient.webhook_gone").await.len(), 1);
    assert!(hub.sortie(&["recipient", "list"]).well().stdout.contains("webhook gone"));
    // Nothing is told by this way any more, until somebody says it anew.
    hours_pass(hub.plan(), 1);
    hot(&hub.hand_node("south").await, true).await;
    until("it is raised", async || (hub.events("alarm.opened").await.len() == 2).then_some(())).await;
    looks_again(&hub, "notifications").await;
    portal(&hub, &receiver.url()).await;
    hot(&hub.hand_node("west").await, true).await;
    becomes(&hub, 2, NotificationState::Sent).await;
    let (_first, receiver) = next_call(receiver).await;
    let (second, _receiver) = next_call(receiver).await;
    assert_eq!(second["body"]["data"]["alarm"]["node"], "west");
    assert_eq!(log(&hub).await.len(), 2);
}

async fn a_redirect_is_not_followed_and_a_day_of_errors_is_outlasted(scene: Scene) {
    let receiver = WebhookReceiver::start(SECRET, &[302, 500, 200]);
    let hub = scene.hub().setting("outgoing.private", "127.0.0.1:*").start().await;
    portal(&hub, &receiver.url()).await;
    heat_is_an_alarm(&hub).await;
    hot(&hub.hand_node("north").await, true).await;
    let (first, receiver) = next_call(receiver).await;
    let (second, receiver) = next_call(receiver).await;
    until("the second try has failed", async || {
        (hub.plan().sql("select tries from dispatches where code is not null") == ["2"]).then_some(())
    })
    .await;
    let day = 24 * 3_600_000;
    hub.plan().sql(&format!("update dispatches set since = since - {day}, next_at = 1 where next_at is not null"));
    let (third, _receiver) = next_call(receiver).await;
    for call in [&first, &second, &third] {
        assert_eq!((&call["path"], &call["id"]), (&json!("/hook"), &first["id"]));
    }
    becomes(&hub, 1, NotificationState::Sent).await;
}

async fn a_private_address_is_called_only_if_the_settings_list_it(scene: Scene) {
    let port = free_port();
    let hub = scene.hub().start().await;
    portal(&hub, &format!("http://127.0.0.1:{port}/hook")).await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    let said = hub.sortie(&["recipient", "test", "portal"]);
    assert_eq!((said.code, said.stdout.contains("address_forbidden")), (Some(1), true), "{said:?}");
    let called = tokio::time::timeout(std::time::Duration::ZERO, listener.accept()).await;
    assert!(called.is_err(), "nobody has called");
}

async fn a_receiver_that_hangs_holds_nobody_else_up(scene: Scene) {
    // It takes the call, and never answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("it has an address"));
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).setting("outgoing.private", "127.0.0.1:*").start().await;
    portal(&hub, &url).await;
    on_call(&hub).await;
    heat_is_an_alarm(&hub).await;
    hot(&hub.hand_node("north").await, true).await;
    let (_call, _from) = listener.accept().await.expect("it is called");
    mail_about(&sink, "box.hot at north").await;
    until("the call was given up for now", async || {
        (hub.plan().sql("select code from dispatches where channel = 'webhook'") == ["webhook_unreachable"])
            .then_some(())
    })
    .await;
    let waits = log(&hub).await.into_iter().find(|one| one.recipient == "portal");
    assert!(waits.is_some_and(|one| one.state == NotificationState::Waiting), "it is tried again");
}

async fn a_secret_is_shown_once(scene: Scene) {
    let hub = scene.hub().start().await;
    let asked = json!({ "name": "portal", "audience": "operator", "webhook": "https://portal.example/hook" });
    let made = recipient(&hub, asked.clone()).await;
    let secret = made.webhook_secret.expect("it was made now");
    assert!(secret.starts_with("whsec_") && secret.len() > 40);
    assert_eq!(recipient(&hub, asked).await.webhook_secret, None, "it keeps the one that it has");
    let said = hub.sortie(&["recipient", "show", "portal", "--json"]).well().stdout + &hub.log();
    assert!(!said.contains(&secret["whsec_".len()..]));
    let kept = hub.plan().sql("select recipient from recipients").concat();
    assert!(!kept.contains("whsec_"), "{kept}");
}
