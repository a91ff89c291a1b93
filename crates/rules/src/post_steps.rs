//! The life of a post-step: what the hub does after a task has ended. It is tried until it is done, or
//! until trying on would help nobody; whatever becomes of it, the task's result stands.

use crate::backoff::Backoff;
use crate::limits::{POST_STEP_HELD, POST_STEP_LIFE};
use crate::tasks::Status;
use crate::time::{Millis, Span};

/// How the waits between tries grow.
const BACKOFF: Backoff = Backoff { first: Span::seconds(5), cap: Span::minutes(30) };

/// After which ends of a task a step is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// After it completed.
    #[default]
    Completed,
    /// After it ended in any other way.
    Failed,
    /// After any end.
    Ended,
}

/// A post-step and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Where it stands.
    pub state: StepState,
    /// How often it was begun.
    pub tries: u32,
    /// Since when it is tried: its planning, or when somebody asked for it again.
    pub since: Millis,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It waits, or is under way: not to be begun before this.
    Pending {
        /// The earliest beginning.
        next_at: Millis,
    },
    /// It is done.
    Done,
    /// It was given up.
    Failed,
}

/// How a try went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// Well.
    Done,
    /// Not well; whether another try may go better.
    Failed {
        /// Whether it may.
        retry: bool,
    },
}

impl When {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            When::Completed => "completed",
            When::Failed => "failed",
            When::Ended => "ended",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<When> {
        [When::Completed, When::Failed, When::Ended].into_iter().find(|when| when.as_str() == word)
    }

    /// Whether a step is due after this end.
    pub fn is_after(self, end: Status) -> bool {
        match self {
            When::Completed => end == Status::Completed,
            When::Failed => end.is_terminal() && end != Status::Completed,
            When::Ended => end.is_terminal(),
        }
    }
}

impl StepState {
    /// The bare word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            StepState::Pending { .. } => "pending",
            StepState::Done => "done",
            StepState::Failed => "failed",
        }
    }
}

/// A step that is planned now.
pub fn planned(now: Millis) -> Step {
    Step { state: StepState::Pending { next_at: now }, tries: 0, since: now }
}

/// Begins a try. Should the hub end in the middle of it, the step is begun anew after a while; so what
/// it does carries the same identity each time.
pub fn begin(step: Step, now: Millis) -> Option<Step> {
    match step.state {
        StepState::Pending { next_at } if next_at <= now => {
            Some(Step { state: StepState::Pending { next_at: now + POST_STEP_HELD }, tries: step.tries + 1, ..step })
        }
        _ => None,
    }
}

/// Ends a try. `draw` is uniform in `0..=u32::MAX`.
pub fn end(step: Step, tried: Tried, now: Millis, draw: u32) -> Step {
    let state = match tried {
        Tried::Done => StepState::Done,
        Tried::Failed { retry: false } => StepState::Failed,
        Tried::Failed { retry: true } => {
            let next_at = now + BACKOFF.wait(step.tries, draw);
            if next_at > step.since + POST_STEP_LIFE { StepState::Failed } else { StepState::Pending { next_at } }
        }
    };
    Step { state, ..step }
}

/// Begins anew with a step that was given up. `None` for one that was not.
pub fn again(step: Step, now: Millis) -> Option<Step> {
    (step.state == StepState::Failed).then_some(Step {
        state: StepState::Pending { next_at: now },
        tries: 0,
        since: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_000_000);

    #[test]
    fn a_step_is_due_after_the_ends_that_it_names() {
        for status in Status::ALL {
            let is_end = status.is_terminal();
            assert_eq!(When::Completed.is_after(status), status == Status::Completed);
            assert_eq!(When::Failed.is_after(status), is_end && status != Status::Completed);
            assert_eq!(When::Ended.is_after(status), is_end);
        }
        assert_eq!(When::parse("ended"), Some(When::Ended));
    }

    #[test]
    fn a_step_is_begun_when_it_is_due_and_held_while_it_is_under_way() {
        let begun = begin(planned(NOW), NOW).unwrap();
        assert_eq!((begun.tries, begun.state), (1, StepState::Pending { next_at: NOW + POST_STEP_HELD }));
        assert_eq!(begin(begun, NOW + POST_STEP_HELD - Span(1)), None);
        assert_eq!(begin(begun, NOW + POST_STEP_HELD).unwrap().tries, 2);
        assert_eq!(end(begun, Tried::Done, NOW, 0).state, StepState::Done);
        assert_eq!(end(begun, Tried::Failed { retry: false }, NOW, 0).state, StepState::Failed);
        for over in [StepState::Done, StepState::Failed] {
            assert_eq!(begin(Step { state: over, ..begun }, NOW), None);
        }
    }

    #[test]
    fn only_what_was_given_up_is_begun_anew() {
        let failed = Step { state: StepState::Failed, tries: 9, since: NOW };
        assert_eq!(again(failed, NOW + Span(5)), Some(planned(NOW + Span(5))));
        assert_eq!(again(planned(NOW), NOW), None);
        assert_eq!(again(Step { state: StepState::Done, ..failed }, NOW), None);
    }

    proptest! {
        #[test]
        fn tries_end_by_themselves(draws in proptest::collection::vec(any::<u32>(), 2000)) {
            let (mut step, mut now) = (planned(NOW), NOW);
            for draw in draws {
                let StepState::Pending { next_at } = step.state else { break };
                prop_assert!(next_at <= NOW + POST_STEP_LIFE + POST_STEP_HELD);
                now = now.max(next_at);
                step = end(begin(step, now).unwrap(), Tried::Failed { retry: true }, now, draw);
            }
            prop_assert_eq!(step.state, StepState::Failed);
            prop_assert!(now.since(NOW) + Span::hours(1) > POST_STEP_LIFE);
        }
    }
}
