//! What an agent's ledger says about a task that comes, comes again, or was under way in a crash.
//!
//! The ledger is keyed by (task, run). The same run never executes twice unless its type is
//! idempotent and a crash cut it; a new run executes.

use serde::{Deserialize, Serialize};

/// How far a run has come at the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// On disk, not begun.
    Accepted,
    /// Begun; its effects may have happened.
    Started,
    /// Ended; the result is on disk and must reach the hub.
    Done,
    /// The hub has acknowledged the result.
    Reported,
}

impl Stage {
    /// The word in the ledger's table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Accepted => "accepted",
            Stage::Started => "started",
            Stage::Done => "done",
            Stage::Reported => "reported",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Stage> {
        [Stage::Accepted, Stage::Started, Stage::Done, Stage::Reported].into_iter().find(|s| s.as_str() == word)
    }
}

/// The newest run of a task that the ledger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Which run.
    pub run: u32,
    /// How far it has come.
    pub stage: Stage,
}

/// What to do with a task that was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receive {
    /// A run not seen before: write it down, then run it.
    Accept,
    /// This run is waiting or under way: remember the newer attempt, run nothing.
    AlreadyHeld,
    /// This run has ended: send its result again under the newer attempt.
    AnswerAgain,
    /// A newer run of the task is known: an old message, ignore it.
    Outdated,
}

/// Decides what a handed-out task means, given the newest known run of it.
pub fn receive(known: Option<Known>, run: u32) -> Receive {
    match known {
        None => Receive::Accept,
        Some(known) if run > known.run => Receive::Accept,
        Some(known) if run < known.run => Receive::Outdated,
        Some(Known { stage: Stage::Accepted | Stage::Started, .. }) => Receive::AlreadyHeld,
        Some(Known { stage: Stage::Done | Stage::Reported, .. }) => Receive::AnswerAgain,
    }
}

/// Whether a delivery's number is above every one that was accepted. Only then may it bring a run that is
/// not known: the ledger forgets in time, and an old delivery must not bring back what it forgot.
pub const fn is_new(number: u64, acknowledged: u64) -> bool {
    number > acknowledged
}

/// Whether a delivery that is not new carries work that was not in it when it was: then all of it is
/// refused. `receive` says what each of its tasks would mean.
pub fn is_other_work(is_new: bool, mut tasks: impl Iterator<Item = Receive>) -> bool {
    !is_new && tasks.any(|task| task == Receive::Accept)
}

/// What to do with a run that the ledger holds when the agent starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recover {
    /// Run it: nothing happened yet, or it may happen again.
    Run,
    /// Report it as interrupted: its effects may have happened and may not happen twice.
    Interrupted,
    /// Send its result.
    Report,
    /// Nothing.
    Nothing,
}

/// Decides what becomes of a run after a restart.
pub fn recover(stage: Stage, idempotent: bool) -> Recover {
    match (stage, idempotent) {
        (Stage::Accepted, _) | (Stage::Started, true) => Recover::Run,
        (Stage::Started, false) => Recover::Interrupted,
        (Stage::Done, _) => Recover::Report,
        (Stage::Reported, _) => Recover::Nothing,
    }
}

/// Whether the start of a run must be on disk before its first effect. A run that may happen
/// again need not be: after a crash it is run from the beginning either way.
pub fn start_is_written_first(idempotent: bool) -> bool {
    !idempotent
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: [Stage; 4] = [Stage::Accepted, Stage::Started, Stage::Done, Stage::Reported];

    #[test]
    fn a_run_is_accepted_once() {
        assert_eq!(receive(None, 1), Receive::Accept);
        for stage in STAGES {
            let again = receive(Some(Known { run: 1, stage }), 1);
            assert_ne!(again, Receive::Accept, "{stage:?}");
            assert_eq!(receive(Some(Known { run: 1, stage }), 2), Receive::Accept, "a new run executes");
            assert_eq!(receive(Some(Known { run: 3, stage }), 2), Receive::Outdated);
        }
    }

    #[test]
    fn only_a_new_delivery_brings_new_work() {
        assert!(is_new(1, 0) && !is_new(1, 1) && !is_new(1, 2));
        let tasks = [Receive::AlreadyHeld, Receive::Accept];
        assert!(is_other_work(false, tasks.into_iter()));
        assert!(!is_other_work(true, tasks.into_iter()));
        let known = [Receive::AlreadyHeld, Receive::AnswerAgain, Receive::Outdated];
        assert!(!is_other_work(false, known.into_iter()));
    }

    #[test]
    fn an_ended_run_is_answered_from_the_ledger() {
        assert_eq!(receive(Some(Known { run: 1, stage: Stage::Done }), 1), Receive::AnswerAgain);
        assert_eq!(receive(Some(Known { run: 1, stage: Stage::Reported }), 1), Receive::AnswerAgain);
        assert_eq!(receive(Some(Known { run: 1, stage: Stage::Started }), 1), Receive::AlreadyHeld);
    }

    #[test]
    fn a_crash_in_mid_run_repeats_only_what_may_be_repeated() {
        assert_eq!(recover(Stage::Started, true), Recover::Run);
        assert_eq!(recover(Stage::Started, false), Recover::Interrupted);
        assert_eq!(recover(Stage::Accepted, false), Recover::Run);
        assert_eq!(recover(Stage::Done, false), Recover::Report);
        assert_eq!(recover(Stage::Reported, true), Recover::Nothing);
        assert!(start_is_written_first(false), "else a crash after the first effect would look like none");
    }

    #[test]
    fn stages_are_read_back() {
        for stage in STAGES {
            assert_eq!(Stage::parse(stage.as_str()), Some(stage));
        }
    }
}
