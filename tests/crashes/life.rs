//! The life of a few tasks, and what must be true of all of them in the end.

use std::collections::BTreeMap;

use serde_json::json;
use sortie_client::people::Hub;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Status;
use sortie_rules::time::Span;
use sortie_wire::tasks::{SubmitTask, Task};
use stories::{RunningHub, Site, until};

/// The file to which the tasks that may run once append.
const JOURNAL: &str = "journal";

/// Everything that was acknowledged so far.
#[derive(Debug, Default)]
pub(crate) struct Lives {
    /// The tasks that may run again.
    repeatable: Vec<TaskId>,
    /// The tasks that may not, with the line that each appends.
    once: BTreeMap<TaskId, String>,
}

impl Lives {
    /// Submits one task of each class, again and again until it is acknowledged, and waits until
    /// both have ended.
    pub(crate) async fn tell(&mut self, name: &str, people: &Hub, site: &Site<'_>) {
        let seed = site.files().join("seed");
        std::fs::write(&seed, name).expect("the site's folder can be written");
        let checksum = task(site, "file.checksum", &json!({ "path": seed }));
        let line = format!("line {name}");
        let append = task(site, "file.append", &json!({ "path": site.files().join(JOURNAL), "line": line }));
        let repeatable = submit(people, &checksum, &format!("{name}-checksum")).await;
        let once = submit(people, &append, &format!("{name}-append")).await;
        self.repeatable.push(repeatable);
        self.once.insert(once, line);
        for id in [repeatable, once] {
            ended(people, id).await;
        }
    }

    /// One terminal state for each task, idempotent work finished, other effects at most once.
    pub(crate) async fn check(&self, hub: &RunningHub<'_>, site: &Site<'_>) {
        let people = hub.people();
        for &id in &self.repeatable {
            let task = ended(&people, id).await;
            assert_eq!(task.summary.status, Status::Completed, "what may run again ends well: {task:?}");
        }
        let lines = site.lines(JOURNAL);
        for (&id, line) in &self.once {
            let task = ended(&people, id).await;
            let seen = lines.iter().filter(|seen| *seen == line).count();
            assert!(seen <= 1, "`{line}` stands {seen} times in the journal: {task:?}");
            match task.summary.status {
                Status::Completed => assert_eq!(seen, 1, "completed, and the line is not there: {task:?}"),
                Status::Failed => {
                    assert_eq!(task.summary.code.as_ref().map(|code| &*code.0), Some("interrupted"), "{task:?}");
                }
                other => panic!("it ended as {other:?}: {task:?}"),
            }
        }
        assert!(lines.len() <= self.once.len(), "nothing stands in the journal that no task wrote: {lines:?}");
        // What was committed is told once it has its number, which takes a leader.
        hub.events("site.changed").await;
        for id in self.repeatable.iter().chain(self.once.keys()) {
            let ends = ends_of(&people, *id).await;
            assert_eq!(ends.len(), 1, "one end for each task: {ends:?}");
        }
    }
}

/// A task for the site with a short lease, so that a hub that was killed gets its answer soon.
fn task(site: &Site<'_>, type_name: &str, payload: &serde_json::Value) -> SubmitTask {
    SubmitTask {
        type_name: type_name.to_owned(),
        node: site.name().to_owned(),
        payload: Some(serde_json::value::to_raw_value(payload).expect("a JSON value is JSON")),
        priority: None,
        not_before: None,
        not_after: None,
        max_retries: Some(100),
        lease: Some(Span::seconds(30)),
    }
}

/// Submits until the hub has acknowledged it; the key makes all tries one.
async fn submit(people: &Hub, task: &SubmitTask, key: &str) -> TaskId {
    people.submit(task, Some(key)).await.expect("a hub that comes back takes it").id
}

/// Waits until it has ended, over every absence of the hub.
async fn ended(people: &Hub, id: TaskId) -> Task {
    until(&format!("the task {id} ends"), async || {
        let task = people.task(id, Some(5)).await.expect("a hub that comes back knows the task");
        task.summary.status.is_terminal().then_some(task)
    })
    .await
}

async fn ends_of(people: &Hub, id: TaskId) -> Vec<String> {
    let query = sortie_wire::events::EventQuery { task: Some(id), after: Some(0), ..Default::default() };
    let events = people.events(&query).await.expect("the events are there").items;
    let is_end = |kind: &str| {
        ["task.completed", "task.failed", "task.rejected", "task.cancelled", "task.expired"].contains(&kind)
    };
    events.into_iter().map(|event| event.kind).filter(|kind| is_end(kind)).collect()
}
