//! What several of these stories share.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::ids::TaskId;
use sortie_wire::problem::{Problem, ProblemCode};
use sortie_wire::tasks::{SubmitTask, TaskQuery};
use stories::{Answer, Ended, HubPlan, Program, RunningAgent, RunningHub, Site};

/// A task as a program would write it.
pub(crate) fn task(value: Value) -> SubmitTask {
    serde_json::from_value(value).expect("it is a task")
}

/// Submits a task with whatever fields the story wants.
pub(crate) async fn submit(hub: &RunningHub<'_>, value: Value) -> TaskId {
    hub.people().submit(&task(value), None).await.expect("the task is in order").id
}

/// A `sleep` of no time for this node.
pub(crate) fn nap(node: &str) -> Value {
    json!({ "type": "sleep", "node": node, "payload": { "ms": 0 } })
}

/// The same with another value in one field.
pub(crate) fn with(mut task: Value, field: &str, value: Value) -> Value {
    task[field] = value;
    task
}

/// How many tasks there are and how much has happened to them.
pub(crate) async fn traces(hub: &RunningHub<'_>) -> (usize, usize) {
    let query = TaskQuery { limit: Some(1000), ..TaskQuery::default() };
    let tasks = hub.people().tasks(&query).await.expect("an administrator may list tasks").items;
    (tasks.len(), hub.events("task").await.len())
}

/// POSTs a body by hand.
pub(crate) async fn post(hub: &RunningHub<'_>, path: &str, body: &Value) -> Answer {
    hub.request(Method::POST, path).json(body).send().await
}

/// That a submission is refused so.
#[track_caller]
pub(crate) fn is_refused(answer: &Answer, code: ProblemCode, pointer: Option<&str>) -> Problem {
    let problem = answer.is_problem(code, pointer);
    let header = answer.headers.get("x-correlation-id").and_then(|value| value.to_str().ok());
    assert_eq!(problem.instance.as_deref(), header, "a problem names its request: {problem:?}");
    assert!(header.is_some(), "every answer has a correlation id: {answer:?}");
    problem
}

/// A site whose agent does one task at a time and takes no other beside it.
pub(crate) async fn one_slot<'s>(hub: &RunningHub<'s>, name: &str) -> (Site<'s>, RunningAgent) {
    let site = hub.site(name).await.setting("concurrency", 1).setting("prefetch", 0);
    let agent = site.start();
    (site, agent)
}

/// A task that adds this line to the site's file `journal`.
pub(crate) fn note(site: &Site<'_>, line: &str) -> Value {
    let payload = json!({ "path": site.files().join("journal"), "line": line });
    json!({ "type": "file.append", "node": site.name(), "payload": payload })
}

/// That a command ended with this code and said each of these words beside what it printed.
#[track_caller]
pub(crate) fn ends_with(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not said: {ended:?}");
    }
}

/// Gives a hub that does not run yet the type `open.count`, whose payloads and results are any JSON.
pub(crate) fn give_open_type(plan: &HubPlan<'_>) {
    let folder = plan.data().join("packs/open");
    Program::Sortie.run(["pack".as_ref(), "new".as_ref(), "open".as_ref(), folder.as_os_str()]).well();
    for schema in ["payload", "result"] {
        std::fs::write(folder.join(format!("schemas/count.{schema}.json")), "{}").expect("the pack can be written");
    }
}
