//! Takes the ends that an agent reports. Each is judged by itself; all are on disk together before
//! any is acknowledged.

use aws_lc_rs::digest::{Context, SHA256};
use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::limits::{
    COUNT_MAX, MESSAGE_BYTES_MAX, RESULT_CHECKED_AT_ONCE_BYTES_MAX, RESULT_INLINE_BYTES_MAX, TASK_LOG_BYTES_MAX,
};
use sortie_rules::tasks::{Code, Finished, Outcome, Refusal, Report, Status, finish};
use sortie_rules::time::Millis;
use sortie_store::tasks::{self, Stamps};
use sortie_store::{StoreError, Tx, logs};
use sortie_wire::problem::{Problem, ProblemCode};
use sortie_wire::readable::is_readable;
use sortie_wire::results::{OutcomeWord, Receipt, RunResult};

use super::events::{About, changed};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::NodeCaller;
use crate::packs::TaskTypes;

/// How often a write is decided anew because somebody else was quicker.
const TRIES: usize = 3;

/// A result that has been checked, ready to be judged.
struct Checked {
    task: TaskId,
    run: u32,
    attempt: u32,
    outcome: Outcome,
    message: Option<String>,
    result: Option<String>,
    digest: Vec<u8>,
    /// How long the run's log is.
    log_bytes: u64,
    /// The task's type and whether the result fits it, where that was looked at before.
    held_against: Option<(String, Result<(), String>)>,
}

/// What became of one result.
enum Judged {
    Taken { ended: bool, status: Status, node: NodeId },
    Repeated,
    Refused(Problem),
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
        .write_checked(move |tx| {
            Box::pin(async move {
                let mut judged = Vec::with_capacity(checked.len());
                for result in checked {
                    judged.push(match result {
                        Ok(checked) => judge(tx, &caller, &types, checked, now, draw).await?,
                        Err(problem) => Judged::Refused(*problem),
                    });
                }
                Ok::<_, Fault>(judged)
            })
        })
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
    fn held_to(mut self, types: &TaskTypes, type_name: &str) -> Checked {
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

async fn judge(
    tx: &mut Tx,
    caller: &NodeCaller,
    types: &TaskTypes,
    mut checked: Checked,
    now: Millis,
    draw: u32,
) -> Result<Judged, Fault> {
    for _ in 0..TRIES {
        let Some(row) = tasks::get_life(tx, checked.task).await?.filter(|row| row.org == caller.org) else {
            return Ok(Judged::Refused(Problem::new(ProblemCode::UnknownTask, "There is no such task.")));
        };
        if row.node != caller.node {
            let detail = "The task is another node's; only that node may report it.";
            return Ok(Judged::Refused(Problem::new(ProblemCode::NotYourTask, detail)));
        }
        checked = checked.held_to(types, &row.type_name);
        let report = Report {
            run: checked.run,
            attempt: checked.attempt,
            outcome: checked.outcome.clone(),
            is_recorded: row.result_digest.as_deref() == Some(&checked.digest),
        };
        let after = match finish(&row.life, &report, now, draw) {
            Ok(Finished::Changed(after)) => after,
            Ok(Finished::Repeated) => return Ok(Judged::Repeated),
            Err(Refusal::OtherResult) => {
                let detail = "Another result of this task has been recorded; this one changes nothing.";
                return Ok(Judged::Refused(Problem::new(ProblemCode::OtherResult, detail)));
            }
            Err(other) => return Err(Fault::Broken(format!("a result was refused with: {other}"))),
        };
        let ended = after.state.status().is_terminal();
        let stamps = Stamps {
            finished_at: ended.then_some(now),
            message: checked.message.as_deref(),
            result: checked.result.as_deref().filter(|_| after.state.status() == Status::Completed),
            result_digest: ended.then_some(checked.digest.as_slice()),
            ..Stamps::default()
        };
        if tasks::update(tx, row.id, &row.life, &after, &stamps).await? {
            let about = About { org: row.org, node: row.node, task: row.id, actor: caller.name(), now };
            changed(tx, about, (types, &row.type_name), &after).await?;
            if checked.log_bytes > 0 {
                logs::set_end(tx, row.id, checked.run, checked.log_bytes).await?;
            }
            return Ok(Judged::Taken { ended, status: after.state.status(), node: row.node });
        }
    }
    Err(StoreError::Unavailable { why: "the task is being changed by others".to_owned() }.into())
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
