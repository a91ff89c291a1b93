//! Takes the ends that an agent reports. Each is judged by itself; all are on disk together before
//! any is acknowledged.

use aws_lc_rs::digest::{Context, SHA256};
use sortie_rules::ids::TaskId;
use sortie_rules::limits::{
    COUNT_MAX, MESSAGE_BYTES_MAX, RESULT_CHECKED_AT_ONCE_BYTES_MAX, RESULT_INLINE_BYTES_MAX, TASK_LOG_BYTES_MAX,
};
use sortie_rules::tasks::{Code, Outcome};
use sortie_store::tasks;
use sortie_wire::problem::{Problem, ProblemCode};
use sortie_wire::readable::is_readable;
use sortie_wire::results::{OutcomeWord, Receipt, RunResult};

use super::judge::{Judged, judge_all};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::NodeCaller;
use crate::packs::TaskTypes;

/// A result that has been checked, ready to be judged.
#[derive(Clone)]
pub(super) struct Checked {
    pub(super) task: TaskId,
    pub(super) run: u32,
    pub(super) attempt: u32,
    pub(super) outcome: Outcome,
    pub(super) message: Option<String>,
    pub(super) result: Option<String>,
    pub(super) digest: Vec<u8>,
    /// How long the run's log is.
    pub(super) log_bytes: u64,
    /// The task's type and whether the result fits it, where that was looked at before.
    held_against: Option<(String, Result<(), String>)>,
}

/// Takes results in. The receipts come in the order of the results.
pub(crate) async fn finish_all(
    app: &Shared,
    caller: NodeCaller,
    results: Vec<RunResult>,
) -> Result<Vec<Receipt>, Fault> {
    let (now, draw) = (app.clock.now(), app.entropy.draw());
    let keys: Vec<(TaskId, u32)> = results.iter().map(|result| (result.task, result.run)).collect();
    let types = app.types.load_full();
    // Before the transaction: a large result takes a while to read, and others wait to write.
    let mut checked: Vec<_> = results.into_iter().map(check).collect();
    for large in checked.iter_mut().flatten().filter(|checked| checked.is_large()) {
        let task = large.task;
        let row = app.store.read(move |tx| Box::pin(async move { tasks::get_life(tx, task).await })).await?;
        large.held_against = row.map(|row| {
            let fits = large.fits(&types, &row.type_name);
            (row.type_name, fits)
        });
    }
    let judged = app
        .store
        .write_checked(move |tx| Box::pin(async move { judge_all(tx, &caller, &types, checked, now, draw).await }))
        .await?;
    let mut receipts = Vec::with_capacity(judged.len());
    for ((task, run), judged) in keys.into_iter().zip(judged) {
        let refused = match judged {
            Judged::Taken { ended, status, node } => {
                metrics::counter!("sortie_tasks_finished_total", "status" => status.as_str()).increment(1);
                if ended {
                    app.waiting.ring_ended(task);
                    app.jobs.nudge();
                } else {
                    app.waiting.ring(node);
                }
                None
            }
            Judged::Repeated => None,
            Judged::Refused(problem) => Some(problem),
        };
        receipts.push(Receipt { task, run, refused });
    }
    Ok(receipts)
}

fn check(result: RunResult) -> Result<Checked, Box<Problem>> {
    let outcome = result.outcome().map_err(|error| {
        Box::new(Problem::new(ProblemCode::FieldInvalid, format!("{error}.")).at(format!("/{}", error.field)))
    })?;
    if result.result.as_ref().is_some_and(|json| json.get().len() > RESULT_INLINE_BYTES_MAX) {
        let detail = format!("A result carried inline has at most {RESULT_INLINE_BYTES_MAX} bytes.");
        return Err(Problem::new(ProblemCode::TooLarge, detail).at("/result").into());
    }
    for (pointer, count) in [("/run", result.run), ("/attempt", result.attempt)] {
        if !(1..=COUNT_MAX).contains(&count) {
            let detail = format!("run and attempt are from 1 to {COUNT_MAX}.");
            return Err(Problem::new(ProblemCode::FieldInvalid, detail).at(pointer).into());
        }
    }
    if result.result.as_ref().is_some_and(|json| !is_readable(json)) {
        let detail = "The result cannot be read: it is nested too deeply, or has a number or a character that is none.";
        return Err(Problem::new(ProblemCode::FieldInvalid, detail).at("/result").into());
    }
    let digest = digest(&result);
    Ok(Checked {
        task: result.task,
        run: result.run,
        attempt: result.attempt,
        outcome,
        message: result.message.map(cut),
        result: result.result.map(|json| String::from(Box::<str>::from(json))),
        digest,
        log_bytes: result.log_bytes.min(TASK_LOG_BYTES_MAX),
        held_against: None,
    })
}

impl Checked {
    fn is_large(&self) -> bool {
        self.result.as_ref().is_some_and(|json| json.len() > RESULT_CHECKED_AT_ONCE_BYTES_MAX)
    }

    /// Whether the result is one of its type. A type that is gone asks for nothing.
    fn fits(&self, types: &TaskTypes, type_name: &str) -> Result<(), String> {
        match (&self.held_against, &self.result, types.get(type_name)) {
            (Some((known, fits)), ..) if known == type_name => fits.clone(),
            (_, Some(result), Some(known)) => known.check_result(result),
            _ => Ok(()),
        }
    }

    /// What the agent reports as done and is not what the type promises has failed. The work would give
    /// the same again, so it is not tried again.
    pub(super) fn held_to(mut self, types: &TaskTypes, type_name: &str) -> Checked {
        if let Err(why) = self.fits(types, type_name) {
            self.outcome = Outcome::Failed { code: Code::new(Code::RESULT_INVALID), retry: false };
            self.message = Some(cut(why));
            self.result = None;
        }
        self
    }
}

/// What tells one report of a run from another; not the attempt, which rises when a claim lapses
/// while the run goes on.
fn digest(result: &RunResult) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    let word = match result.outcome {
        OutcomeWord::Completed => "completed",
        OutcomeWord::Failed => "failed",
        OutcomeWord::Interrupted => "interrupted",
        OutcomeWord::Rejected => "rejected",
        OutcomeWord::Cancelled => "cancelled",
    };
    let body = result.result.as_ref().map_or("", |json| json.get());
    let code = result.code.as_ref().map_or("", |code| code.0.as_str());
    for part in [word, &result.run.to_string(), code, body] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().to_vec()
}

fn cut(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES_MAX {
        let mark = " […]";
        let mut end = MESSAGE_BYTES_MAX - mark.len();
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
        message += mark;
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_with_a_mark_between_characters() {
        let cut_message = cut("ä".repeat(MESSAGE_BYTES_MAX));
        assert!(cut_message.len() <= MESSAGE_BYTES_MAX && cut_message.ends_with("ä […]"));
        assert_eq!(cut("short".to_owned()), "short");
    }
}
