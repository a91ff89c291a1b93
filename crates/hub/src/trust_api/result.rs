//! Takes a trust's result. Such a client names neither run nor attempt, so they are those that the task
//! stands at; everything else is decided as for any agent.

use serde_json::value::RawValue;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::{Code, Status};
use sortie_rules::time::Millis;
use sortie_store::tasks::{self, TaskLife};
use sortie_wire::problem::ProblemCode;
use sortie_wire::results::{OutcomeWord, RunResult};
use sortie_wire::trusts::{TrustReceipt, TrustResult, TrustStatus};

use crate::app::Shared;
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::NodeCaller;
use crate::tasks::{code_of, finish_all};

/// The code of a task that a trust says has failed.
const FAILED: &str = "trust_failed";

/// Takes it.
pub(super) async fn take(
    app: &Shared,
    caller: NodeCaller,
    id: TaskId,
    report: TrustResult,
) -> Result<TrustReceipt, Fault> {
    let row = owned(app, &caller, id).await?;
    let status = row.life.state.status();
    let outcome = match report.status {
        TrustStatus::Completed => OutcomeWord::Completed,
        TrustStatus::Failed => OutcomeWord::Failed,
        TrustStatus::Pending | TrustStatus::InProgress => {
            return Err(refuse_at(ProblemCode::FieldInvalid, "/status", "A result is COMPLETED or FAILED."));
        }
    };
    if status == Status::Pending && row.life.attempt == 0 {
        let detail = "The task was never handed out; GET …/pending does that.";
        return Err(refuse(ProblemCode::NotInProgress, detail));
    }
    // A failure whose answer got lost comes again when the task waits for its next try: it was heard. A
    // task that lapsed goes back to the queue by itself.
    if status == Status::Pending && outcome == OutcomeWord::Failed {
        return Ok(TrustReceipt { id, status: TrustStatus::Pending, code: None });
    }
    let result = run_result(&row, outcome, report)?;
    let receipts = finish_all(app, caller.clone(), vec![result]).await?;
    if let Some(problem) = receipts.into_iter().find_map(|receipt| receipt.refused) {
        return Err(problem.into());
    }
    let after = owned(app, &caller, id).await?.life.state;
    let status = match after.status() {
        Status::Pending => TrustStatus::Pending,
        Status::InProgress => TrustStatus::InProgress,
        Status::Completed => TrustStatus::Completed,
        Status::Failed | Status::Rejected | Status::Cancelled | Status::Expired => TrustStatus::Failed,
    };
    Ok(TrustReceipt { id, status, code: code_of(&after) })
}

async fn owned(app: &Shared, caller: &NodeCaller, id: TaskId) -> Result<TaskLife, Fault> {
    let row = app.store.read(move |tx| Box::pin(async move { tasks::get_life(tx, id).await })).await?;
    let unknown = || refuse(ProblemCode::UnknownTask, "There is no such task.");
    let row = row.filter(|row| row.org == caller.org).ok_or_else(unknown)?;
    if row.node != caller.node {
        return Err(refuse(ProblemCode::NotYourTask, "The task is another trust's; only that trust may report it."));
    }
    Ok(row)
}

fn run_result(row: &TaskLife, outcome: OutcomeWord, report: TrustResult) -> Result<RunResult, Fault> {
    let completed = outcome == OutcomeWord::Completed;
    let empty = || RawValue::from_string("{}".to_owned()).map_err(|error| Fault::Broken(error.to_string()));
    let result = match (completed, report.result) {
        (true, Some(result)) => Some(result),
        (true, None) => Some(empty()?),
        (false, _) => None,
    };
    Ok(RunResult {
        task: row.id,
        run: row.life.run,
        attempt: row.life.attempt,
        outcome,
        result,
        code: (!completed).then(|| Code::new(FAILED)),
        message: report.error.filter(|_| !completed),
        retry: !completed,
        log_bytes: 0,
        // Such a client tells no times.
        started_at: Millis(0),
        finished_at: Millis(0),
    })
}
