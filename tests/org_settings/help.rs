//! What several of these stories share.

use http::Method;
use serde_json::{Value, json};
use stories::{Answer, As, RunningHub};

/// Chooses a value as an administrator.
pub(crate) async fn put(hub: &RunningHub<'_>, key: &str, value: Value) -> Answer {
    let path = format!("/api/v1/settings/{key}");
    hub.request(Method::PUT, &path).json(&json!({ "value": value })).send().await
}

/// The same; it must be taken.
pub(crate) async fn set(hub: &RunningHub<'_>, key: &str, value: Value) {
    let answer = put(hub, key, value).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// What holds.
pub(crate) async fn value(hub: &RunningHub<'_>, key: &str) -> Value {
    hub.people().org_setting(key).await.expect("an administrator may read it").value
}

/// Asks for a token with these fields.
pub(crate) async fn ask_for_token(hub: &RunningHub<'_>, fields: Value) -> Answer {
    hub.request(Method::POST, "/api/v1/tokens").json(&fields).send().await
}

/// A caller with a token of this role.
pub(crate) async fn somebody(hub: &RunningHub<'_>, role: &str) -> As {
    let made = ask_for_token(hub, json!({ "name": role, "role": role })).await;
    As::Token(made.json()["token"].as_str().expect("it was made").to_owned())
}

/// What the events tell of changes: key, before, after and who.
pub(crate) async fn told(hub: &RunningHub<'_>) -> Vec<Value> {
    let events = hub.events("setting.changed").await;
    events
        .into_iter()
        .map(|event| json!([event.data["key"], event.data["before"], event.data["after"], event.actor]))
        .collect()
}
