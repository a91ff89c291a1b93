//! Makes a job: which nodes are meant is decided once, at this moment.

use sortie_rules::ids::{JobId, NodeId, OrgId};
use sortie_rules::jobs::{Job as Life, JobStatus};
use sortie_rules::limits::{NODES_PER_JOB_MAX, OPEN_JOBS_MAX, PAGE_MAX, SELECTOR_BYTES_MAX, SELECTOR_NAMES_MAX};
use sortie_rules::selectors::{Selected, Selector, parse_labels};
use sortie_store::jobs::{self, JobRow};
use sortie_store::nodes::{self, NodeFilter};
use sortie_store::{StoreError, Tx};
use sortie_wire::jobs::{Job, JobPreview, RunJob, Selector as Asked};
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::SubmitTask;

use super::read::shown;
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::Once;
use crate::people::Principal;
use crate::tasks::terms;

/// Most nodes read at once while they are looked through.
const READ_AT_ONCE: u32 = 10_000;

/// Makes a job, or answers as the first request under the same key was answered.
pub(super) async fn create(
    app: &Shared,
    who: &Principal,
    request: RunJob,
    once: Once,
    traceparent: Option<String>,
) -> Result<Job, Fault> {
    let answer = match create_anew(app, who, request, once.clone(), traceparent).await {
        Err(refusal) => once.recall_after(&app.store, refusal).await?,
        Ok(answer) => answer,
    };
    app.jobs.nudge_new();
    serde_json::from_str(&answer).map_err(|error| Fault::Broken(error.to_string()))
}

/// Which nodes a request would be for.
pub(super) async fn preview(app: &Shared, who: &Principal, request: RunJob) -> Result<JobPreview, Fault> {
    let (_, selector) = check(app, &request)?;
    let org = who.org;
    let found = app.store.read(move |tx| Box::pin(async move { select(tx, org, &selector).await })).await?;
    let names = found.iter().take(PAGE_MAX as usize).map(|(name, _)| name.clone()).collect();
    Ok(JobPreview { nodes: u32::try_from(found.len()).unwrap_or(u32::MAX), names })
}

async fn create_anew(
    app: &Shared,
    who: &Principal,
    request: RunJob,
    once: Once,
    traceparent: Option<String>,
) -> Result<String, Fault> {
    let now = app.clock.now();
    let (terms, selector) = check(app, &request)?;
    let broken = |error: serde_json::Error| Fault::Broken(error.to_string());
    let mut row = JobRow {
        id: app.entropy.id::<sortie_rules::ids::kind::Job>(now),
        org: who.org,
        type_name: terms.type_name,
        payload: terms.payload,
        selector: serde_json::to_string(&request.selector).map_err(broken)?,
        priority: terms.priority,
        idempotent: terms.idempotent,
        retries_max: terms.life.retries_max,
        lease: terms.life.lease,
        submitted_by: who.name.to_string(),
        submitted_at: now,
        traceparent,
        life: Life {
            status: JobStatus::Running,
            nodes: 0,
            at_a_time: request.at_a_time,
            stop_failures: request.stop_after_failures,
            stop_percent: request.stop_after_percent,
            not_after: request.not_after,
        },
        turn: 0,
        finished_at: None,
    };
    let act = Act::by(who, now)?.on("job", row.id);
    let request_sha256 = once.body_sha256();
    app.store
        .write_checked(move |tx| {
            Box::pin(async move {
                if let Some(answer) = once.recall(tx).await? {
                    return Ok(answer);
                }
                if jobs::count_open(tx, row.org).await? >= OPEN_JOBS_MAX {
                    let detail = format!("{OPEN_JOBS_MAX} jobs are not over yet; cancel those that nobody needs.");
                    return Err(refuse(ProblemCode::QueueFull, detail));
                }
                let found = select(tx, row.org, &selector).await?;
                row.life.nodes = u32::try_from(found.len()).unwrap_or(u32::MAX);
                let nodes: Vec<NodeId> = found.into_iter().map(|(_, id)| id).collect();
                jobs::insert(tx, &row, &nodes).await?;
                told(tx, row.org, row.id, "job.created", &row.submitted_by, row.life.nodes, now).await?;
                let changes = serde_json::json!({
                    "nodes": row.life.nodes, "request_sha256": request_sha256, "selector": row.selector,
                    "type": row.type_name,
                });
                audit::record(tx, act.changes(changes)).await?;
                let answer = serde_json::to_string(&shown(row, None)?).map_err(broken)?;
                once.remember(tx, &answer, now).await?;
                Ok(answer)
            })
        })
        .await
}

/// Writes down that something happened to a job.
pub(super) async fn told(
    tx: &mut Tx,
    org: OrgId,
    job: JobId,
    kind: &'static str,
    actor: &str,
    nodes: u32,
    now: sortie_rules::time::Millis,
) -> Result<(), StoreError> {
    let data = serde_json::json!({ "job": job, "nodes": nodes });
    events::record(tx, Record::new(org, now, kind, actor).data(&data)).await
}

fn check(app: &Shared, request: &RunJob) -> Result<(crate::tasks::Terms, Selector), Fault> {
    let invalid = |at: &str, detail: &str| refuse_at(ProblemCode::FieldInvalid, at, detail);
    if request.at_a_time == Some(0) {
        return Err(invalid("/at_a_time", "At least one node at a time must be allowed."));
    }
    if request.stop_after_failures == Some(0) {
        return Err(invalid("/stop_after_failures", "A job stops after 1 failure at the earliest."));
    }
    if request.stop_after_percent.is_some_and(|share| !(1..=100).contains(&share)) {
        return Err(invalid("/stop_after_percent", "A share is from 1 to 100 percent."));
    }
    let task = SubmitTask {
        type_name: request.type_name.clone(),
        node: String::new(),
        payload: request.payload.clone(),
        priority: request.priority,
        not_before: None,
        not_after: request.not_after,
        max_retries: request.max_retries,
        lease: request.lease,
    };
    let terms = terms(&app.types.load(), task, "", app.clock.now())?;
    Ok((terms, selector(&request.selector)?))
}

/// Reads a selector.
pub(crate) fn selector(asked: &Asked) -> Result<Selector, Fault> {
    let text = asked.label.as_deref().unwrap_or("");
    if text.len() > SELECTOR_BYTES_MAX || asked.names.len() > SELECTOR_NAMES_MAX {
        let detail = format!(
            "A selector has at most {SELECTOR_BYTES_MAX} bytes of labels and {SELECTOR_NAMES_MAX} names; label the \
             nodes and select by label."
        );
        return Err(refuse_at(ProblemCode::FieldInvalid, "/selector", detail));
    }
    let labels = parse_labels(text)
        .map_err(|error| refuse_at(ProblemCode::FieldInvalid, "/selector/label", format!("{error}.")))?;
    let selector = Selector {
        labels,
        site: asked.site.clone(),
        kind: asked.kind.clone(),
        names: asked.names.clone(),
        all: asked.all,
    };
    if selector.is_empty() {
        let detail = "The selector says nothing, so it means no node; if every node is meant, say `all`.";
        return Err(refuse_at(ProblemCode::SelectorMatchesNothing, "/selector", detail));
    }
    Ok(selector)
}

/// The nodes that a selector means, by name. None at all is refused, and so is a name that no node has.
pub(crate) async fn select(tx: &mut Tx, org: OrgId, selector: &Selector) -> Result<Vec<(String, NodeId)>, Fault> {
    let filter = NodeFilter { site: selector.site.clone(), kind: selector.kind.clone(), ..NodeFilter::default() };
    let mut found: Vec<(String, NodeId)> = Vec::new();
    if selector.names.is_empty() {
        let mut after: Option<String> = None;
        loop {
            let rows = nodes::list_for_selection(tx, org, &filter, after.as_deref(), READ_AT_ONCE).await?;
            let is_last = rows.len() < READ_AT_ONCE as usize;
            after = rows.last().map(|row| row.name.clone());
            found.extend(rows.into_iter().filter(|row| is_meant(selector, row)).map(|row| (row.name, row.id)));
            if is_last {
                break;
            }
        }
    } else {
        let mut names = selector.names.clone();
        names.sort_unstable();
        names.dedup();
        for name in names {
            // Ids stand wherever names do.
            let named = match name.parse::<NodeId>() {
                Ok(id) => nodes::get(tx, org, id).await?.map_or(name.clone(), |row| row.name),
                Err(_) => name.clone(),
            };
            let Some(row) = nodes::get_for_selection(tx, org, &named).await? else {
                let shown: String = name.chars().take(80).collect();
                let detail = format!("There is no node `{shown}`; the command `sortie node list` lists them.");
                return Err(refuse_at(ProblemCode::UnknownNode, "/selector/names", detail));
            };
            // The name was meant, or the id.
            if is_meant(&Selector { names: vec![row.name.clone()], ..selector.clone() }, &row) {
                found.push((row.name, row.id));
            }
        }
        found.sort_unstable();
        found.dedup();
    }
    if found.is_empty() {
        let detail = "No node that is not revoked matches the selector; nothing was begun. `sortie node list` shows \
                      labels, sites and kinds.";
        return Err(refuse_at(ProblemCode::SelectorMatchesNothing, "/selector", detail));
    }
    if found.len() > NODES_PER_JOB_MAX {
        let detail = format!("A job is for at most {NODES_PER_JOB_MAX} nodes; these are {}.", found.len());
        return Err(refuse_at(ProblemCode::FieldInvalid, "/selector", detail));
    }
    Ok(found)
}

fn is_meant(selector: &Selector, row: &nodes::Selectable) -> bool {
    let node = Selected { name: &row.name, site: row.site.as_deref(), kind: &row.kind, labels: &row.labels };
    !row.is_revoked && selector.matches(node)
}
