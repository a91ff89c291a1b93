//! A client written from the three calls alone, and a trust as stories make it.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Status;
use sortie_wire::trusts::AddNode;
use stories::{Answer, As, Ended, RunningHub, Scene, on_both_engines, on_sqlite};

on_both_engines!(a_client_of_three_calls_finishes_tasks);
on_sqlite!(a_trust_is_seen_like_any_node, a_batch_is_of_fifty);

/// A trust whose calls the story makes.
pub(crate) struct Trust<'h, 's> {
    pub(crate) hub: &'h RunningHub<'s>,
    pub(crate) name: &'static str,
    pub(crate) key: String,
}

impl<'h, 's> Trust<'h, 's> {
    /// A trust that the hub knows.
    pub(crate) async fn add(hub: &'h RunningHub<'s>, name: &'static str) -> Trust<'h, 's> {
        let node = AddNode { name: name.to_owned(), ..AddNode::default() };
        let added = hub.people().add_node(&node).await.expect("an administrator may add nodes");
        Trust { hub, name, key: added.key }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.hub.request(method, path).from(As::Nobody).header("x-api-key", &self.key);
        match body {
            Some(body) => request.json(body).send().await,
            None => request.send().await,
        }
    }

    /// Asks for what waits.
    pub(crate) async fn pending(&self) -> Answer {
        self.call(Method::GET, &format!("/tasks/{}/pending", self.name), None).await
    }

    /// The ids of what waits.
    pub(crate) async fn taken(&self) -> Vec<String> {
        let answer = self.pending().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let tasks = answer.json();
        tasks.as_array().expect("a list").iter().map(|task| task["id"].as_str().expect("an id").to_owned()).collect()
    }

    /// Reports the end of a task.
    pub(crate) async fn report(&self, id: &str, body: Value) -> Answer {
        self.call(Method::POST, &format!("/tasks/{}/{id}/result", self.name), Some(&body)).await
    }

    /// Says that it is there.
    pub(crate) async fn heartbeat(&self) -> Answer {
        self.call(Method::POST, &format!("/trust/{}/heartbeat", self.name), Some(&json!({}))).await
    }
}

/// What a trust reports of a `sleep` that it has done.
pub(crate) fn done() -> Value {
    json!({ "status": "COMPLETED", "result": { "slept_ms": 0 } })
}

/// A hub that serves trusts.
pub(crate) async fn hub(scene: &Scene) -> RunningHub<'_> {
    scene.hub().setting("trust_api", true).start().await
}

/// A task that takes no time.
pub(crate) async fn nap(hub: &RunningHub<'_>, name: &str) -> TaskId {
    hub.submit(name, "sleep", json!({ "ms": 0 })).await
}

async fn a_client_of_three_calls_finishes_tasks(scene: Scene) {
    let hub = hub(&scene).await;
    let trust = Trust::add(&hub, "trust-north").await;
    let (good, bad) =
        (nap(&hub, trust.name).await, hub.submit(trust.name, "sleep", json!({ "ms": 0, "note": "break" })).await);
    let script = include_str!("client.py");
    let run = || {
        let mut python = std::process::Command::new("/usr/bin/python3");
        python.args(["-c", script, &hub.url(), trust.name, &trust.key]).arg(hub.ca_file()).env_clear();
        Ended::of(&mut python).well()
    };
    let said = run();
    assert_eq!(said.stdout.matches("COMPLETED").count(), 1, "{said:?}");
    assert_eq!(said.stdout.matches("PENDING").count(), 1, "a failure is tried again: {said:?}");
    let task = hub.ended(good).await;
    assert_eq!((task.summary.status, task.result), (Status::Completed, Some(json!({ "slept_ms": 0 }))));
    let task = hub.task(bad).await;
    assert_eq!((task.summary.status, task.summary.retries), (Status::Pending, 1));
    assert_eq!(task.summary.message.as_deref(), Some("it broke"));
}

async fn a_trust_is_seen_like_any_node(scene: Scene) {
    let hub = hub(&scene).await;
    let trust = Trust::add(&hub, "trust-north").await;
    assert!(hub.people().node("trust-north").await.expect("it is there").heard_at.is_none());
    let answer = trust.heartbeat().await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "status": "ok" })));
    assert!(hub.people().node("trust-north").await.expect("it is there").heard_at.is_some());
    let shown = hub.sortie(&["node", "show", "trust-north"]).well();
    assert!(shown.stdout.contains("trust API") && shown.stdout.contains("trust"), "{shown:?}");
    // A job gives it its task as soon as it has been heard.
    let words = ["job", "run", "sleep", "--payload", "{\"ms\":0}", "--node", "trust-north"];
    hub.sortie(&words).well();
    let id = stories::until("the task is there", async || trust.taken().await.pop()).await;
    assert_eq!(trust.report(&id, done()).await.status, 200);
    let kinds: Vec<String> = hub.events("node").await.into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&"node.added".to_owned()), "{kinds:?}");
}

async fn a_batch_is_of_fifty(scene: Scene) {
    let hub = hub(&scene).await;
    let trust = Trust::add(&hub, "trust-north").await;
    let tasks: Vec<Value> =
        (0..60).map(|_| json!({ "type": "sleep", "node": "trust-north", "payload": { "ms": 0 } })).collect();
    let answer = hub.request(Method::POST, "/api/v1/tasks/batch").json(&json!({ "tasks": tasks })).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!((trust.taken().await.len(), trust.taken().await.len(), trust.taken().await.len()), (50, 10, 0));
}
