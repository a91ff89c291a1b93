//! What the end of a program says about its task.

use crate::tasks::Code;

/// Why the agent ended the program before it ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutShort {
    /// The task was cancelled, or the agent stops.
    Cancelled,
    /// It ran longer than the policy allows.
    WallTime,
    /// It, and what it began, took more memory than the policy allows.
    Memory,
    /// It began more processes than the policy allows.
    Processes,
    /// It wrote more to standard output than the policy allows.
    Output,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// What a program wrote to standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Nothing, or only white space.
    Nothing,
    /// JSON that can be a result.
    Json,
    /// Something else; this says what is wrong with it, without repeating it.
    Garbage(String),
    /// JSON or not, more than a result may have; this is how many bytes, and where they are kept.
    TooLarge(u64, String),
}

/// What becomes of the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// What it wrote is the result.
    Completed,
    /// It was told to stop.
    Cancelled,
    /// It failed.
    Failed {
        /// Why, in a word.
        code: &'static str,
        /// Why, in a sentence.
        message: String,
        /// Whether another try makes sense.
        retry: bool,
    },
}

/// Signal numbers on Linux, whatever the processor (signal(7)).
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;

/// Judges how a program ended. `retry_codes` are the exit codes by which it asks for another try.
///
/// Apart from those nothing is tried again: the program has begun, and what it did before it failed is
/// not known.
pub fn judge_exit(cut: Option<CutShort>, exit: Exit, written: Written, retry_codes: &[i32]) -> Verdict {
    let failed = |code, message: String| Verdict::Failed { code, message, retry: false };
    match cut {
        Some(CutShort::Cancelled) => return Verdict::Cancelled,
        Some(CutShort::WallTime) => {
            return failed(Code::OVER_WALL_TIME, "the program ran longer than wall_s of the policy allows".into());
        }
        Some(CutShort::Memory) => {
            return failed(Code::OUT_OF_MEMORY, "the program took more memory than memory_mb of the policy".into());
        }
        Some(CutShort::Processes) => {
            return failed(Code::TOO_MANY_PROCESSES, "the program began more processes than the policy allows".into());
        }
        Some(CutShort::Output) => {
            return failed(Code::OUTPUT_TOO_LARGE, "the program wrote more than output_mb of the policy".into());
        }
        None => {}
    }
    match (exit, written) {
        (Exit::Signal(SIGXCPU), _) => {
            failed(Code::OVER_CPU_TIME, "the program used more processor time than cpu_s of the policy".into())
        }
        (Exit::Signal(SIGXFSZ), _) => {
            failed(Code::OVER_FILE_SIZE, "the program wrote a file larger than file_mb of the policy".into())
        }
        (Exit::Signal(signal), _) => failed(Code::HANDLER_KILLED, format!("signal {signal} ended the program")),
        (Exit::Code(0), Written::Json) => Verdict::Completed,
        (Exit::Code(0), Written::Nothing) => {
            failed(Code::NO_RESULT, "the program ended well and wrote no result to standard output".into())
        }
        (Exit::Code(0), Written::Garbage(why)) => {
            failed(Code::OUTPUT_INVALID, format!("what the program wrote to standard output is no result: {why}"))
        }
        (Exit::Code(0), Written::TooLarge(bytes, place)) => {
            failed(Code::RESULT_TOO_LARGE, format!("the result has {bytes} bytes; it is kept at the site in {place}"))
        }
        (Exit::Code(code), _) => Verdict::Failed {
            code: Code::EXIT_CODE,
            message: format!("the program ended with exit code {code}"),
            retry: retry_codes.contains(&code),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(cut: Option<CutShort>, exit: Exit, written: Written) -> (&'static str, bool) {
        match judge_exit(cut, exit, written, &[75]) {
            Verdict::Completed => ("completed", false),
            Verdict::Cancelled => ("cancelled", false),
            Verdict::Failed { code, retry, .. } => (code, retry),
        }
    }

    #[test]
    fn each_way_to_end_has_its_own_word() {
        use Exit::{Code, Signal};
        let garbage = || Written::Garbage("x".into());
        let large = || Written::TooLarge(1, "f".into());
        assert_eq!(code(None, Code(0), Written::Json), ("completed", false));
        assert_eq!(code(None, Code(0), Written::Nothing), ("no_result", false));
        assert_eq!(code(None, Code(0), garbage()), ("output_invalid", false));
        assert_eq!(code(None, Code(0), large()), ("result_too_large", false));
        assert_eq!(code(None, Code(1), Written::Json), ("exit_code", false));
        assert_eq!(code(None, Code(75), garbage()), ("exit_code", true));
        assert_eq!(code(None, Signal(9), Written::Json), ("handler_killed", false));
        assert_eq!(code(None, Signal(SIGXCPU), Written::Nothing), ("over_cpu_time", false));
        assert_eq!(code(None, Signal(SIGXFSZ), Written::Nothing), ("over_file_size", false));
    }

    #[test]
    fn what_the_agent_cut_short_is_told_as_that_whatever_came_of_it() {
        for exit in [Exit::Code(0), Exit::Code(75), Exit::Signal(9)] {
            let of = |cut| code(Some(cut), exit, Written::Json);
            assert_eq!(of(CutShort::Cancelled), ("cancelled", false));
            assert_eq!(of(CutShort::WallTime), ("over_wall_time", false));
            assert_eq!(of(CutShort::Memory), ("out_of_memory", false));
            assert_eq!(of(CutShort::Processes), ("too_many_processes", false));
            assert_eq!(of(CutShort::Output), ("output_too_large", false));
        }
    }
}
