//! A hub whose line to its database is in the story's hand.

use counterparts::Postgres;
use http::Method;
use serde_json::{Value, json};
use stories::{Answer, HubPlan, Net, RunningHub, Scene, until};

/// A place with a server that keeps what it has acknowledged, whatever becomes of it.
pub(crate) fn durable() -> Scene {
    Scene::with_postgres(Postgres::start_durable())
}

/// The server of a place.
pub(crate) fn server(scene: &Scene) -> &Postgres {
    scene.postgres().expect("the place has one")
}

/// A hub whose line to its database goes through the net that is returned, and the database's own address.
pub(crate) async fn behind_a_net(scene: &Scene) -> (HubPlan<'_>, Net, String) {
    let url = server(scene).fresh_database();
    let net = Net::to(&url).await;
    let plan = scene.hub().setting("database_url", net.to_database(&url));
    (plan, net, url)
}

/// A task that anybody may do.
pub(crate) fn task(node: &str) -> Value {
    json!({ "type": "sys.info", "node": node, "payload": {} })
}

/// Submits such a task, without a key, once.
pub(crate) async fn submit_once(hub: &RunningHub<'_>, node: &str) -> Answer {
    hub.request(Method::POST, "/api/v1/tasks").json(&task(node)).send().await
}

/// Waits until the hub is ready, or not.
pub(crate) async fn ready(hub: &RunningHub<'_>, ready: bool) {
    let status = if ready { 200 } else { 503 };
    until(&format!("/readyz answers {status}"), async || (hub.operations("/readyz").await.0 == status).then_some(()))
        .await;
}

/// How many tasks there are.
pub(crate) fn tasks(server: &Postgres, url: &str) -> usize {
    server.sql(url, "select count(*) from tasks")[0].parse().expect("a number")
}
