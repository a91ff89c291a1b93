//! Shows tasks to people: one, one with a wait for its end, or a page of them.

use sortie_rules::ids::TaskId;
use sortie_rules::limits::WAIT_MAX;
use sortie_rules::tasks::{State, Status};
use sortie_rules::time::Span;
use sortie_store::tasks::{self, TaskFilter, TaskRow, TaskSummary as Row};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::{Task, TaskQuery, TaskSummary};

use super::events::code;
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::http::page_size;
use crate::jobs;
use crate::logs::progress;
use crate::people::{Principal, ended, holds_no_more};
use crate::post_steps::of_task;

/// What is answered for a task that is not there, or not this org's.
pub(super) fn unknown() -> Fault {
    refuse(ProblemCode::UnknownTask, "There is no such task; `sortie task list` shows those there are.")
}

/// One task with payload and result.
pub(super) async fn show(app: &App, who: &Principal, id: TaskId) -> Result<Task, Fault> {
    let org = who.org;
    let (row, progress, post_steps) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let row = tasks::get(tx, org, id).await?.ok_or_else(unknown)?;
                Ok::<_, Fault>((row, progress(tx, id).await?, of_task(tx, id).await?))
            })
        })
        .await?;
    Ok(Task { progress, post_steps, ..whole(app, row).await? })
}

/// One task, as lists show it.
pub(super) async fn summary(app: &App, who: &Principal, id: TaskId) -> Result<TaskSummary, Fault> {
    Ok(show(app, who, id).await?.summary)
}

/// One task, once it has ended or the wait is over.
pub(super) async fn show_ended(app: &App, who: &Principal, id: TaskId, wait: Span) -> Result<Task, Fault> {
    let end = tokio::time::sleep(wait.min(WAIT_MAX).to_std());
    tokio::pin!(end);
    loop {
        let bell = app.waiting.ended.subscribe(id);
        let task = show(app, who, id).await?;
        if task.summary.status.is_terminal() {
            return Ok(task);
        }
        tokio::select! {
            _ = bell => {}
            () = holds_no_more(app, who) => return Err(ended()),
            () = &mut end => return Ok(task),
            () = app.stop.cancelled() => return Ok(task),
        }
    }
}

/// One page of tasks, newest first.
pub(super) async fn list(app: &App, who: &Principal, query: TaskQuery) -> Result<Page<TaskSummary>, Fault> {
    let limit = page_size(query.limit)?;
    let node = match &query.node {
        Some(text) => Some(app.nodes.find_named(&app.store, who.org, text).await?.id),
        None => None,
    };
    let mut status = Vec::new();
    for word in query.status.iter().flat_map(|text| text.split(',')) {
        status.push(Status::parse(word).ok_or_else(|| {
            let known: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
            let detail = format!("status: `{word}` is none of {}.", known.join(", "));
            refuse(ProblemCode::MalformedParameter, detail)
        })?);
    }
    if let Some(job) = query.job {
        jobs::exists(app, who, job).await?;
    }
    let type_name = query.type_name.clone();
    let filter = TaskFilter { node, status, type_name: query.type_name, dead: query.dead, job: query.job };
    let (org, before) = (who.org, query.after);
    let mut rows = app
        .store
        .read(move |tx| Box::pin(async move { tasks::list(tx, org, &filter, before, limit + 1).await }))
        .await?;
    if let Some(name) = type_name.filter(|_| rows.is_empty() && before.is_none()) {
        refuse_unknown_type(app, &name)?;
    }
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = more.then(|| rows.last().map(|row| row.id.to_string())).flatten();
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(shown(app, row).await?);
    }
    Ok(Page { items, next })
}

/// A filter that names what does not exist is a mistake, and an empty page would hide it. A type that is no
/// more may have left tasks behind, so this is asked only when there are none.
fn refuse_unknown_type(app: &App, name: &str) -> Result<(), Fault> {
    let types = app.types.load();
    if types.get(name).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = types.all().map(|known| known.name.as_str()).collect();
    let shown: String = name.chars().take(80).collect();
    let detail = format!("type: there is no task type `{shown}`; known are {}.", known.join(", "));
    Err(refuse(ProblemCode::MalformedParameter, detail))
}

async fn whole(app: &App, row: TaskRow) -> Result<Task, Fault> {
    let broken = |error: serde_json::Error| Fault::Broken(format!("task {}: {error}", row.id));
    let payload = serde_json::from_str(&row.payload).map_err(broken)?;
    let result = row.result.as_deref().map(serde_json::from_str).transpose().map_err(broken)?;
    let traceparent = row.traceparent.clone();
    let summary = Row {
        id: row.id,
        node: row.node,
        type_name: row.type_name,
        priority: row.priority,
        idempotent: row.idempotent,
        submitted_by: row.submitted_by,
        submitted_at: row.submitted_at,
        traceparent: row.traceparent,
        job: row.job,
        life: row.life,
        claimed_at: row.claimed_at,
        finished_at: row.finished_at,
        message: row.message,
    };
    Ok(Task {
        summary: shown(app, summary).await?,
        payload,
        result,
        progress: None,
        post_steps: Vec::new(),
        traceparent,
    })
}

async fn shown(app: &App, row: Row) -> Result<TaskSummary, Fault> {
    let node = app.nodes.find(&app.store, row.node).await?;
    let (not_before, lease_until, cancel_asked) = match row.life.state {
        State::Pending { not_before } => (not_before, None, false),
        State::InProgress { lease_until, cancel_asked } => (None, Some(lease_until), cancel_asked),
        _ => (None, None, false),
    };
    Ok(TaskSummary {
        id: row.id,
        type_name: row.type_name,
        node: row.node,
        node_name: node.map(|node| node.name.clone()).unwrap_or_default(),
        status: row.life.state.status(),
        code: code(&row.life.state),
        message: row.message,
        priority: row.priority,
        attempt: row.life.attempt,
        run: row.life.run,
        retries: row.life.retries,
        max_retries: row.life.retries_max,
        lease: row.life.lease,
        lease_until,
        cancel_asked,
        not_before,
        not_after: row.life.not_after,
        job: row.job,
        submitted_by: row.submitted_by,
        submitted_at: row.submitted_at,
        claimed_at: row.claimed_at,
        finished_at: row.finished_at,
    })
}
