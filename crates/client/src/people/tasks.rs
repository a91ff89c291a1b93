//! Tasks: submit, read, watch, cancel, requeue.

use sortie_rules::ids::TaskId;
use sortie_wire::logs::{LogPart, LogQuery};
use sortie_wire::pages::Page;
use sortie_wire::tasks::{
    PostStep, SubmitBatch, SubmitTask, Submitted, SubmittedBatch, Task, TaskQuery, TaskSummary, TaskWaitQuery,
};

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Submits a task. Without a key of the caller's one is drawn, for this call and its repetitions.
    pub async fn submit(&self, task: &SubmitTask, idempotency_key: Option<&str>) -> Result<Submitted, ClientError> {
        self.create(&["tasks"], task, &self.key(idempotency_key)).await
    }

    /// Submits several tasks, all or none.
    pub async fn submit_batch(
        &self,
        batch: &SubmitBatch,
        idempotency_key: Option<&str>,
    ) -> Result<SubmittedBatch, ClientError> {
        self.create(&["tasks", "batch"], batch, &self.key(idempotency_key)).await
    }

    /// A task with payload and result. With `wait_s` the answer is held until the task ends, at
    /// most so many seconds (55 at most).
    pub async fn task(&self, id: TaskId, wait_s: Option<u32>) -> Result<Task, ClientError> {
        let (id, query) = (id.to_string(), TaskWaitQuery { wait_s });
        match wait_s {
            Some(seconds) => self.held_get(&["tasks", &id], &query, seconds).await,
            None => self.get(&["tasks", &id], &query).await,
        }
    }

    /// A part of a task's log. With `wait_s` the answer is held until there is more, or the log is whole.
    pub async fn task_log(&self, id: TaskId, query: &LogQuery) -> Result<LogPart, ClientError> {
        let id = id.to_string();
        match query.wait_s {
            Some(seconds) => self.held_get(&["tasks", &id, "log"], query, seconds).await,
            None => self.get(&["tasks", &id, "log"], query).await,
        }
    }

    /// A page of tasks, newest first.
    pub async fn tasks(&self, query: &TaskQuery) -> Result<Page<TaskSummary>, ClientError> {
        self.get(&["tasks"], query).await
    }

    /// Calls a task off. In the queue that ends it; handed out, its agent is asked to stop.
    pub async fn cancel_task(&self, id: TaskId) -> Result<TaskSummary, ClientError> {
        self.act(&["tasks", &id.to_string(), "cancel"]).await
    }

    /// Begins anew with a post-step of a task that was given up, for every item of it.
    pub async fn retry_post_step(&self, id: TaskId, name: &str) -> Result<Vec<PostStep>, ClientError> {
        self.act(&["tasks", &id.to_string(), "post-steps", name, "retry"]).await
    }

    /// Puts a task that ended without completing back into the queue, as a new run.
    pub async fn requeue_task(&self, id: TaskId) -> Result<TaskSummary, ClientError> {
        self.act(&["tasks", &id.to_string(), "requeue"]).await
    }
}
