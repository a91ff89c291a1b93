//! The site has the last word on what its agent runs.

use http::Method;
use serde_json::json;
use sortie_rules::tasks::{Code, Status};
use sortie_wire::tasks::TaskSummary;
use stories::{RunningHub, Scene, on_sqlite, until};

use crate::help::{nap, submit};

on_sqlite!(
    what_the_policy_does_not_allow_is_rejected_with_a_sentence,
    a_changed_policy_is_heard_and_a_broken_one_allows_nothing,
    a_handler_refuses_what_the_hub_let_pass,
);

async fn nap_of(hub: &RunningHub<'_>) -> TaskSummary {
    let id = submit(hub, nap("north")).await;
    hub.ended(id).await.summary
}

async fn until_a_nap_is(hub: &RunningHub<'_>, status: Status) {
    until(&format!("a nap is {}", status.as_str()), async || (nap_of(hub).await.status == status).then_some(())).await;
}

async fn what_the_policy_does_not_allow_is_rejected_with_a_sentence(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    site.set_policy("default = \"allow\"\nrefuse = [\"sleep\"]\n");
    let _agent = site.start();
    let refused = nap_of(&hub).await;
    assert_eq!((refused.status, refused.code), (Status::Rejected, Some(Code::new(Code::TYPE_NOT_ALLOWED))));
    assert!(refused.message.is_some_and(|sentence| sentence.contains("policy") && sentence.contains("sleep")));
    assert_eq!((refused.run, refused.retries), (1, 0), "a refusal is not tried again");
    let last = hub.events("task.rejected").await.pop().expect("the refusal is an event");
    assert_eq!(last.data["code"], Code::TYPE_NOT_ALLOWED);
    let facts = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(facts).await.summary.status, Status::Completed);
}

async fn a_changed_policy_is_heard_and_a_broken_one_allows_nothing(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    assert_eq!(nap_of(&hub).await.status, Status::Completed);
    site.set_policy("allow = [\"sys.info\"]\n");
    until_a_nap_is(&hub, Status::Rejected).await;
    site.set_policy("allow = [\"sleep\"]\n# heard\n");
    until_a_nap_is(&hub, Status::Completed).await;
    site.set_policy("allow = [\"sleep\"]\nalow = []\n");
    until("the log names what is wrong", async || site.log().contains("alow").then_some(())).await;
    let id = hub.submit("north", "sleep", serde_json::json!({ "ms": 0 })).await;
    until("it is to be tried again", async || (hub.task(id).await.summary.retries > 0).then_some(())).await;
    site.set_policy("allow = [\"sleep\"]\n# mended\n");
    assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
}

async fn a_handler_refuses_what_the_hub_let_pass(scene: Scene) {
    let hub = scene.hub().start().await;
    let _agent = hub.site("north").await.start();
    // To the hub's schema 1.0 is a whole number; the handler takes one that is written as such.
    let odd = r#"{"type":"sleep","node":"north","payload":{"ms":1.0}}"#;
    let answer = hub.request(Method::POST, "/api/v1/tasks").body("application/json", odd).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.json()["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let refused = hub.ended(id).await.summary;
    assert_eq!((refused.status, refused.code), (Status::Rejected, Some(Code::new(Code::BAD_PAYLOAD))));
    assert!(refused.message.is_some_and(|sentence| sentence.contains("sleep")));
}
