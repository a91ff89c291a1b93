//! How an agent reports the end of a run.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::{Code, Outcome};
use sortie_rules::time::Millis;

use crate::problem::Problem;

/// The end of one run of a task.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunResult {
    /// Which task.
    pub task: TaskId,
    /// Which run of it.
    pub run: u32,
    /// The newest attempt of that run that the agent has seen.
    pub attempt: u32,
    /// How it ended.
    pub outcome: OutcomeWord,
    /// What the handler gave. Only with `completed`, and then always.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub result: Option<Box<RawValue>>,
    /// Why it did not complete. Only with `failed` and `rejected`, and then always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// A sentence for people. Not with `completed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether another try makes sense. Only with `failed`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retry: bool,
    /// How many bytes the log of the run has.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub log_bytes: u64,
    /// When the run began, by the agent's clock.
    pub started_at: Millis,
    /// When it ended, by the agent's clock.
    pub finished_at: Millis,
}

/// How a run ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutcomeWord {
    /// The work is done.
    Completed,
    /// The work failed.
    Failed,
    /// A crash cut work that may not be repeated.
    Interrupted,
    /// The agent refused.
    Rejected,
    /// The agent stopped it because it was told to.
    Cancelled,
}

/// A result whose parts do not belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Incoherent {
    /// The field at fault.
    pub field: &'static str,
    why: &'static str,
}

impl RunResult {
    /// The outcome as `rules` knows it, if the parts belong together.
    pub fn outcome(&self) -> Result<Outcome, Incoherent> {
        let completed = self.outcome == OutcomeWord::Completed;
        let coded = matches!(self.outcome, OutcomeWord::Failed | OutcomeWord::Rejected);
        let refuse = |field, why| Err(Incoherent { field, why });
        if self.result.is_some() != completed {
            return refuse("result", "a result comes with `completed`, and only with it");
        }
        if self.retry && self.outcome != OutcomeWord::Failed {
            return refuse("retry", "only what failed can be worth another try");
        }
        let code = match (&self.code, coded) {
            (Some(code), true) if is_code(code) => code.clone(),
            (None, false) => return Ok(self.outcome_without_code()),
            (Some(_), true) => return refuse("code", "a code is 1 to 64 of a-z, 0-9 and `_`"),
            _ => return refuse("code", "a code comes with `failed` and `rejected`, and only with them"),
        };
        Ok(match self.outcome {
            OutcomeWord::Rejected => Outcome::Rejected { code },
            _ => Outcome::Failed { code, retry: self.retry },
        })
    }

    fn outcome_without_code(&self) -> Outcome {
        match self.outcome {
            OutcomeWord::Completed => Outcome::Completed,
            OutcomeWord::Cancelled => Outcome::Cancelled,
            OutcomeWord::Interrupted | OutcomeWord::Failed | OutcomeWord::Rejected => Outcome::Interrupted,
        }
    }
}

fn is_code(code: &Code) -> bool {
    (1..=64).contains(&code.0.len())
        && code.0.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The body of `POST /agent/v1/nodes/{node_id}/results`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResultBatch {
    /// The results, each judged by itself.
    pub results: Vec<RunResult>,
}

/// The answer: one receipt for each result, in the same order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipts {
    /// One for each result, in the same order.
    pub receipts: Vec<Receipt>,
}

/// What became of one result. In either case it is final: there is no use in sending it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// Which task.
    pub task: TaskId,
    /// Which run of it.
    pub run: u32,
    /// Absent when the result is on the hub's disk, now or from before; else why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Problem>,
}

/// A value that is there, `null` too: a handler may have nothing to tell and be done all the same.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(from).map(Some)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;

    fn run(outcome: OutcomeWord) -> RunResult {
        RunResult {
            task: Id::from_uuid(uuid::Uuid::from_u128(1)),
            run: 1,
            attempt: 1,
            outcome,
            result: None,
            code: None,
            message: None,
            retry: false,
            log_bytes: 0,
            started_at: Millis(1),
            finished_at: Millis(2),
        }
    }
    fn json(text: &str) -> Option<Box<RawValue>> {
        Some(RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn parts_that_belong_together_give_an_outcome() {
        let completed = RunResult { result: json("{}"), ..run(OutcomeWord::Completed) };
        assert_eq!(completed.outcome(), Ok(Outcome::Completed));
        let failed = RunResult { code: Some(Code::new("boom")), retry: true, ..run(OutcomeWord::Failed) };
        assert_eq!(failed.outcome(), Ok(Outcome::Failed { code: Code::new("boom"), retry: true }));
        let rejected = RunResult { code: Some(Code::new("no")), ..run(OutcomeWord::Rejected) };
        assert_eq!(rejected.outcome(), Ok(Outcome::Rejected { code: Code::new("no") }));
        assert_eq!(run(OutcomeWord::Interrupted).outcome(), Ok(Outcome::Interrupted));
        assert_eq!(run(OutcomeWord::Cancelled).outcome(), Ok(Outcome::Cancelled));
    }

    #[test]
    fn parts_that_do_not_are_named() {
        let field = |result: RunResult| result.outcome().unwrap_err().field;
        assert_eq!(field(run(OutcomeWord::Completed)), "result");
        assert_eq!(field(RunResult { result: json("1"), ..run(OutcomeWord::Interrupted) }), "result");
        assert_eq!(field(run(OutcomeWord::Failed)), "code");
        assert_eq!(field(RunResult { code: Some(Code::new("Not A Word")), ..run(OutcomeWord::Failed) }), "code");
        assert_eq!(field(RunResult { retry: true, ..run(OutcomeWord::Cancelled) }), "retry");
    }

    #[test]
    fn a_result_of_null_is_one() {
        let completed = RunResult { result: json("null"), ..run(OutcomeWord::Completed) };
        let read: RunResult = serde_json::from_str(&serde_json::to_string(&completed).unwrap()).unwrap();
        assert_eq!(read.outcome(), Ok(Outcome::Completed));
    }
}
