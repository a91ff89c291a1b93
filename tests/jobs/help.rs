//! Nodes of stories, and jobs that run at them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sortie_rules::ids::JobId;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::jobs::{Job, JobNode, JobNodeQuery};
use sortie_wire::nodes::ChangeNode;
use stories::{HandNode, RunningHub, until};

/// A `sleep` of no time at each node that the selector means.
pub(crate) fn naps(selector: Value) -> Value {
    json!({ "type": "sleep", "payload": { "ms": 0 }, "selector": selector })
}

/// Begins a job.
pub(crate) async fn run(hub: &RunningHub<'_>, request: &Value) -> Job {
    let request = serde_json::from_value(request.clone()).expect("it is a job");
    hub.people().run_job(&request, None).await.expect("the job is in order")
}

/// Nodes `n01`, `n02`, …, all heard.
pub(crate) async fn nodes(hub: &RunningHub<'_>, many: usize) -> Vec<HandNode> {
    let mut nodes = Vec::new();
    for number in 1..=many {
        let node = hub.hand_node(&format!("n{number:02}")).await;
        assert!(node.wait(0, 0).await.tasks.is_empty());
        nodes.push(node);
    }
    nodes
}

/// Gives a node a label.
pub(crate) async fn label(hub: &RunningHub<'_>, node: &str, key: &str, value: &str) {
    let labels = BTreeMap::from([(key.to_owned(), Some(value.to_owned()))]);
    let change = ChangeNode { labels, ..ChangeNode::default() };
    hub.people().change_node(node, &change).await.expect("an administrator may label");
}

/// Waits until a job looks so.
pub(crate) async fn job_is(hub: &RunningHub<'_>, id: JobId, what: &str, is: impl Fn(&Job) -> bool) -> Job {
    let people = hub.people();
    until(what, async || Some(people.job(id).await.expect("the job is there")).filter(|job| is(job))).await
}

/// Waits until a job is over.
pub(crate) async fn over(hub: &RunningHub<'_>, id: JobId) -> Job {
    job_is(hub, id, "the job is over", |job| job.status.is_terminal()).await
}

/// Each node of a job and its status, by name.
pub(crate) async fn table(hub: &RunningHub<'_>, id: JobId) -> Vec<JobNode> {
    let query = JobNodeQuery { limit: Some(1000), ..JobNodeQuery::default() };
    hub.people().job_nodes(id, &query).await.expect("the job is there").items
}

/// The statuses in a job's table.
pub(crate) async fn statuses(hub: &RunningHub<'_>, id: JobId) -> Vec<String> {
    table(hub, id).await.into_iter().map(|node| node.status).collect()
}

/// Takes whatever a node was handed by now; nothing if it has none.
pub(crate) async fn taken(node: &HandNode) -> Option<HandedTask> {
    node.wait(1, 0).await.tasks.pop()
}

/// Completes a task of a node.
pub(crate) async fn complete(node: &HandNode, task: &HandedTask) {
    node.report(&HandNode::completed(task, json!({ "slept_ms": 0 }))).await.expect("the hub takes it");
}

/// Fails a task of a node for good.
pub(crate) async fn fail(node: &HandNode, task: &HandedTask) {
    node.report(&HandNode::failed(task, "handler_failed", false)).await.expect("the hub takes it");
}
