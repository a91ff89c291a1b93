//! From what a handler gave to the result that is reported.

use std::sync::Arc;

use serde_json::value::RawValue;
use sortie_rules::limits::{MESSAGE_BYTES_MAX, RESULT_INLINE_BYTES_MAX};
use sortie_rules::tasks::Code;
use sortie_rules::time::Millis;
use sortie_wire::readable::is_readable;
use sortie_wire::results::{OutcomeWord, RunResult};

use crate::handlers::{Failure, Output};
use crate::ledger::{Ended, RunKey};

/// A run whose end is to be written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    pub(super) run: RunKey,
    pub(super) attempt: u32,
    pub(super) began: Millis,
    pub(super) now: Millis,
    /// How long the log of the run is.
    pub(super) log_bytes: u64,
}

/// The end of a run, from what its handler gave. `told` says whether it was told to stop.
pub(super) fn ended(ending: Ending, given: Result<Output, Failure>, told: bool) -> Ended {
    let mut result = blank(ending);
    match given.map(Output::into_raw) {
        Ok(raw) if raw.get().len() > RESULT_INLINE_BYTES_MAX => {
            let message = format!("the result is {} bytes; {RESULT_INLINE_BYTES_MAX} are the most", raw.get().len());
            fail(&mut result, Code::new(Code::RESULT_TOO_LARGE), &message, false);
        }
        Ok(raw) if !is_readable(&raw) => {
            let message = "the result is nested too deeply, or has a number or a character that is none";
            fail(&mut result, Code::new(Code::HANDLER_FAILED), message, false);
        }
        Ok(raw) => complete(&mut result, raw),
        Err(Failure::Cancelled) if told => result.outcome = OutcomeWord::Cancelled,
        Err(Failure::Cancelled) => {
            fail(&mut result, Code::new(Code::HANDLER_FAILED), "the handler stopped without being told to", true);
        }
        Err(Failure::Failed { code, message, retry }) => fail(&mut result, code, &message, retry),
        Err(Failure::Rejected { code, message }) => {
            fail(&mut result, code, &message, false);
            result.outcome = OutcomeWord::Rejected;
        }
    }
    seal(&result)
}

/// The end of a run that was cancelled before it began.
pub(crate) fn cancelled(run: RunKey, attempt: u32, now: Millis) -> Ended {
    let ending = Ending { run, attempt, began: now, now, log_bytes: 0 };
    seal(&RunResult { outcome: OutcomeWord::Cancelled, ..blank(ending) })
}

/// The end of a run that a crash cut and that may not be repeated.
pub(crate) fn interrupted(run: RunKey, attempt: u32, now: Millis, log_bytes: u64) -> Ended {
    let ending = Ending { run, attempt, began: now, now, log_bytes };
    let message = "the agent stopped in the middle of it, and work of this type is not begun twice".to_owned();
    seal(&RunResult { outcome: OutcomeWord::Interrupted, message: Some(message), ..blank(ending) })
}

/// The end of a run whose result nobody on the way lets through.
pub(crate) fn too_large(ended: &Ended) -> Option<Ended> {
    let mut result: RunResult = serde_json::from_slice(&ended.result).ok()?;
    let message =
        format!("the result ({} bytes) is larger than the hub, or a proxy on the way, takes", ended.result.len());
    result.result = None;
    fail(&mut result, Code::new(Code::RESULT_TOO_LARGE), &message, false);
    Some(seal(&result))
}

fn blank(ending: Ending) -> RunResult {
    RunResult {
        task: ending.run.task,
        run: ending.run.run,
        attempt: ending.attempt,
        outcome: OutcomeWord::Interrupted,
        result: None,
        code: None,
        message: None,
        retry: false,
        log_bytes: ending.log_bytes,
        started_at: ending.began,
        finished_at: ending.now,
    }
}

fn complete(result: &mut RunResult, raw: Box<RawValue>) {
    result.outcome = OutcomeWord::Completed;
    result.result = Some(raw);
}

/// A code that the hub would not take is kept as a part of the message.
fn fail(result: &mut RunResult, code: Code, message: &str, retry: bool) {
    result.outcome = OutcomeWord::Failed;
    result.retry = retry;
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if (1..=64).contains(&code.0.len()) && code.0.bytes().all(is_word) {
        result.message = Some(cut(message));
        result.code = Some(code);
    } else {
        result.message = Some(cut(&format!("{}: {message}", code.0)));
        result.code = Some(Code::new(Code::HANDLER_FAILED));
    }
}

fn cut(message: &str) -> String {
    const MARK: &str = "… (cut)";
    if message.len() <= MESSAGE_BYTES_MAX {
        return message.to_owned();
    }
    let mut end = MESSAGE_BYTES_MAX - MARK.len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MARK}", &message[..end])
}

fn seal(result: &RunResult) -> Ended {
    let run = RunKey { task: result.task, run: result.run };
    // A RunResult holds only text, numbers and JSON that was parsed: writing it cannot fail.
    let json = serde_json::to_vec(result).unwrap_or_default();
    Ended { run, result: Arc::new(json), at: result.finished_at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;

    fn end(given: Result<Output, Failure>, told: bool) -> RunResult {
        let run = RunKey { task: Id::from_uuid(uuid::Uuid::from_u128(1)), run: 2 };
        let ending = Ending { run, attempt: 3, began: Millis(4), now: Millis(5), log_bytes: 6 };
        let result: RunResult = serde_json::from_slice(&ended(ending, given, told).result).unwrap();
        result.outcome().expect("what an agent reports is coherent");
        result
    }

    #[test]
    fn every_end_of_a_handler_is_a_coherent_result() {
        let text = |length| Output::of(&"x".repeat(length));
        assert_eq!(end(text(3), false).outcome, OutcomeWord::Completed);
        let large = end(text(RESULT_INLINE_BYTES_MAX), false);
        assert_eq!((large.outcome, large.code.unwrap().0.as_str()), (OutcomeWord::Failed, "result_too_large"));
        let odd = Output::json(RawValue::from_string("[1e999]".to_owned()).unwrap());
        assert_eq!(end(Ok(odd), false).outcome, OutcomeWord::Failed);
        assert_eq!(end(Err(Failure::Cancelled), true).outcome, OutcomeWord::Cancelled);
        assert_eq!(end(Err(Failure::Cancelled), false).outcome, OutcomeWord::Failed);
        assert_eq!(end(Err(Failure::forbidden("no")), false).outcome, OutcomeWord::Rejected);
        assert!(end(Err(Failure::failed("boom", "", true)), false).retry);
    }

    #[test]
    fn odd_codes_and_long_messages_still_reach_the_hub() {
        let odd = end(Err(Failure::failed("Not A Word", "ü".repeat(5000), false)), false);
        assert_eq!(odd.code.unwrap().0, "handler_failed");
        let message = odd.message.unwrap();
        assert!(message.starts_with("Not A Word: ü") && message.ends_with("(cut)"));
        assert!(message.len() <= MESSAGE_BYTES_MAX);
    }
}
