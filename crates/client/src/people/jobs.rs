//! Jobs: run, read, steer.

use sortie_rules::ids::JobId;
use sortie_wire::jobs::{Job, JobNode, JobNodeQuery, JobPreview, JobQuery, RunJob};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Begins a job. Without a key of the caller's one is drawn, for this call and its repetitions.
    pub async fn run_job(&self, job: &RunJob, idempotency_key: Option<&str>) -> Result<Job, ClientError> {
        self.create(&["jobs"], job, &self.key(idempotency_key)).await
    }

    /// Which nodes a job would be for. Begins nothing.
    pub async fn preview_job(&self, job: &RunJob) -> Result<JobPreview, ClientError> {
        self.create(&["jobs", "preview"], job, &self.key(None)).await
    }

    /// A page of jobs, newest first.
    pub async fn jobs(&self, query: &JobQuery) -> Result<Page<Job>, ClientError> {
        self.get(&["jobs"], query).await
    }

    /// A job, with how many of its nodes stand where.
    pub async fn job(&self, id: JobId) -> Result<Job, ClientError> {
        self.get(&["jobs", &id.to_string()], &()).await
    }

    /// A page of a job's nodes, by name.
    pub async fn job_nodes(&self, id: JobId, query: &JobNodeQuery) -> Result<Page<JobNode>, ClientError> {
        self.get(&["jobs", &id.to_string(), "nodes"], query).await
    }

    /// Gives out no more of a job's tasks.
    pub async fn pause_job(&self, id: JobId) -> Result<Job, ClientError> {
        self.act(&["jobs", &id.to_string(), "pause"]).await
    }

    /// Goes on with a paused job.
    pub async fn resume_job(&self, id: JobId) -> Result<Job, ClientError> {
        self.act(&["jobs", &id.to_string(), "resume"]).await
    }

    /// Calls a job off.
    pub async fn cancel_job(&self, id: JobId) -> Result<Job, ClientError> {
        self.act(&["jobs", &id.to_string(), "cancel"]).await
    }
}
