//! Shows jobs and how their nodes fare.

use sortie_rules::ids::JobId;
use sortie_rules::jobs::Counts;
use sortie_rules::tasks::{Code, Status};
use sortie_store::jobs::{self, JobNodeRow, JobRow};
use sortie_wire::jobs::{Job, JobCounts, JobNode, JobNodeQuery, JobQuery};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::http::{page, page_size};
use crate::people::Principal;

/// What is answered for a job that is not there, or not this org's.
pub(super) fn unknown() -> Fault {
    refuse(ProblemCode::UnknownJob, "There is no such job; `sortie job list` shows those there are.")
}

/// Refuses the id of a job that is not there, or not this org's.
pub(crate) async fn exists(app: &App, who: &Principal, id: JobId) -> Result<(), Fault> {
    let org = who.org;
    let row = app.store.read(move |tx| Box::pin(async move { jobs::get_any_org(tx, id).await })).await?;
    row.filter(|row| row.org == org).map(drop).ok_or_else(unknown)
}

/// One job, with how many of its nodes stand where.
pub(super) async fn show(app: &App, who: &Principal, id: JobId) -> Result<Job, Fault> {
    let org = who.org;
    let (row, counts) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let row = jobs::get_any_org(tx, id).await?.filter(|row| row.org == org).ok_or_else(unknown)?;
                let counts = jobs::counts(tx, id).await?;
                Ok::<_, Fault>((row, counts))
            })
        })
        .await?;
    shown(row, Some(counts))
}

/// One page of jobs, newest first.
pub(super) async fn list(app: &App, who: &Principal, query: JobQuery) -> Result<Page<Job>, Fault> {
    let limit = page_size(query.limit)?;
    let (org, status, before) = (who.org, query.status, query.after);
    let rows =
        app.store.read(move |tx| Box::pin(async move { jobs::list(tx, org, status, before, limit + 1).await })).await?;
    let rows = rows.into_iter().map(|row| shown(row, None)).collect::<Result<Vec<Job>, Fault>>()?;
    Ok(page(rows, limit, |job| job.id.to_string(), |job| job))
}

/// One page of a job's nodes, by name.
pub(super) async fn nodes(app: &App, who: &Principal, id: JobId, query: JobNodeQuery) -> Result<Page<JobNode>, Fault> {
    let limit = page_size(query.limit)?;
    if let Some(word) = query.status.as_deref().filter(|word| !is_status(word)) {
        let known: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
        let detail = format!("status: `{word}` is none of waiting, skipped, forgotten, {}.", known.join(", "));
        return Err(refuse(ProblemCode::MalformedParameter, detail));
    }
    let (org, after) = (who.org, query.after.unwrap_or(0));
    let rows = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                jobs::get_any_org(tx, id).await?.filter(|row| row.org == org).ok_or_else(unknown)?;
                Ok::<_, Fault>(jobs::nodes(tx, id, query.status.as_deref(), after, limit + 1).await?)
            })
        })
        .await?;
    Ok(page(rows, limit, |row| row.position.to_string(), node))
}

fn is_status(word: &str) -> bool {
    ["waiting", "skipped", "forgotten"].contains(&word) || Status::parse(word).is_some()
}

fn node(row: JobNodeRow) -> JobNode {
    JobNode {
        node: row.node,
        node_name: row.name,
        status: row.status,
        task: row.task,
        code: row.code.map(Code),
        message: row.message,
        submitted_at: row.submitted_at,
        finished_at: row.finished_at,
    }
}

/// A job as people see it.
pub(super) fn shown(row: JobRow, counts: Option<Counts>) -> Result<Job, Fault> {
    let broken = |error: serde_json::Error| Fault::Broken(format!("job {}: {error}", row.id));
    Ok(Job {
        id: row.id,
        selector: serde_json::from_str(&row.selector).map_err(broken)?,
        type_name: row.type_name,
        status: row.life.status,
        nodes: row.life.nodes,
        at_a_time: row.life.at_a_time,
        stop_after_failures: row.life.stop_failures,
        stop_after_percent: row.life.stop_percent,
        not_after: row.life.not_after,
        submitted_by: row.submitted_by,
        submitted_at: row.submitted_at,
        finished_at: row.finished_at,
        counts: counts.map(shown_counts),
    })
}

/// How its nodes fare, as people see it.
pub(crate) fn shown_counts(counts: Counts) -> JobCounts {
    let Counts { waiting, pending, in_progress, completed, failed, rejected, cancelled, expired, skipped } = counts;
    JobCounts { waiting, pending, in_progress, completed, failed, rejected, cancelled, expired, skipped }
}
