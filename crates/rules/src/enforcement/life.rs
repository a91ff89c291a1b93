//! The life of one enforcement: one resource of one node in one zone at the edge. It is noted before anything is done
//! at the edge, so that whatever dies in between, it is known where rules may stand; and it is forgotten only when they
//! are gone from there.

use crate::backoff::{Backoff, jittered};
use crate::desired::{ConditionStatus, Drift, cut_message};
use crate::limits::{EDGE_RETRY_AFTER_MAX, EDGE_RETRY_MAX};
use crate::time::{Millis, Span};

/// How the waits grow while the edge does not do what it should.
const BACKOFF: Backoff = Backoff { first: Span::seconds(2), cap: EDGE_RETRY_MAX };

/// Where one enforcement stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforcement {
    /// The hash of what is wanted; nothing: its rules are to go.
    pub wanted: Option<String>,
    /// Whether something of it may be at the edge: this is kept before the first change there is asked for.
    pub is_begun: bool,
    /// The hash of what was brought to stand at the edge last.
    pub applied: Option<String>,
    /// When something was changed there for it last.
    pub applied_at: Option<Millis>,
    /// How it stands.
    pub status: ConditionStatus,
    /// Why, as a stable word.
    pub reason: Option<String>,
    /// The same as a sentence.
    pub message: Option<String>,
    /// Since when it stands so.
    pub since: Millis,
    /// Tries that failed in a row.
    pub failures: u32,
    /// Nothing is tried before this.
    pub next_try: Millis,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Rest,
    /// See to it that the rules are as wanted.
    Make,
    /// Look whether they are, and only tell.
    Look,
    /// Remove them.
    Remove,
    /// Forget it: nothing of it was ever at the edge.
    Forget,
}

/// How a try went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The rules are as wanted; whether something had to be changed for that.
    Made {
        /// Whether it had.
        is_changed: bool,
    },
    /// It was only looked.
    Looked {
        /// Whether the rules are as wanted.
        is_so: bool,
    },
    /// The rules are gone.
    Removed,
    /// It was not possible.
    Failed(Failure),
}

/// Why a try failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A stable word.
    pub reason: &'static str,
    /// The same as a sentence, without anything that is secret.
    pub message: String,
    /// How long the edge asked to be left alone.
    pub retry_after: Option<Span>,
}

/// What follows a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Where it stands now; nothing: it is forgotten.
    pub enforcement: Option<Enforcement>,
    /// What of that is news.
    pub news: Option<News>,
}

/// What is told once, when it comes to be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It is enforced.
    Enforced,
    /// It is otherwise at the edge, and only told of.
    Drifted,
    /// It cannot be enforced, or its rules cannot be removed.
    Failed,
    /// Its rules are gone.
    Ended,
}

/// Where it stands when this comes to be wanted; nothing if that is known.
pub fn noted(before: Option<&Enforcement>, wanted: Option<&str>, now: Millis) -> Option<Enforcement> {
    let waiting = |reason: &str| Enforcement {
        wanted: wanted.map(str::to_owned),
        is_begun: false,
        applied: None,
        applied_at: None,
        status: ConditionStatus::Pending,
        reason: Some(reason.to_owned()),
        message: None,
        since: now,
        failures: 0,
        next_try: now,
    };
    match before {
        None => wanted.map(|_| waiting("noted")),
        Some(before) if before.wanted.as_deref() == wanted => None,
        Some(before) => Some(Enforcement {
            is_begun: before.is_begun,
            applied: before.applied.clone(),
            applied_at: before.applied_at,
            ..waiting(if wanted.is_some() { "changed" } else { "leaving" })
        }),
    }
}

/// What is to be done at `now`. `drift` is what the resource says of being found otherwise.
pub fn step(one: &Enforcement, drift: Drift, now: Millis) -> Step {
    if now < one.next_try {
        return Step::Rest;
    }
    match &one.wanted {
        None if one.is_begun => Step::Remove,
        None => Step::Forget,
        Some(_) if drift == Drift::Report && one.applied == one.wanted => Step::Look,
        Some(_) => Step::Make,
    }
}

/// The same, with something of it at the edge from now on. To be kept before the first change there is asked for.
#[must_use]
pub fn begin(one: Enforcement) -> Enforcement {
    Enforcement { is_begun: true, ..one }
}

/// What follows from a try. What stands is looked at again after about `every`; what failed is tried again after a wait
/// that grows. `draw` is uniform in `0..=u32::MAX`.
pub fn after(before: &Enforcement, tried: &Tried, every: Span, now: Millis, draw: u32) -> Next {
    let (status, reason, message) = match tried {
        Tried::Removed => return Next { enforcement: None, news: before.is_begun.then_some(News::Ended) },
        Tried::Made { .. } | Tried::Looked { is_so: true } => (ConditionStatus::InOrder, None, None),
        Tried::Looked { is_so: false } => {
            let message = "somebody has changed its rules at the edge".to_owned();
            (ConditionStatus::Drifted, Some("otherwise"), Some(message))
        }
        Tried::Failed(failure) => (ConditionStatus::Failed, Some(failure.reason), Some(cut_message(&failure.message))),
    };
    let (failures, wait) = match tried {
        Tried::Failed(failure) => {
            let failures = before.failures.saturating_add(1);
            let asked = failure.retry_after.unwrap_or(Span::ZERO).min(EDGE_RETRY_AFTER_MAX);
            (failures, BACKOFF.wait(failures, draw).max(asked))
        }
        _ => (0, jittered(every, draw)),
    };
    let news = (before.status != status).then_some(match status {
        ConditionStatus::Failed => News::Failed,
        ConditionStatus::Drifted => News::Drifted,
        _ => News::Enforced,
    });
    let is_same = before.status == status && before.reason.as_deref() == reason;
    let is_applied = matches!(tried, Tried::Made { .. });
    let is_changed = *tried == Tried::Made { is_changed: true };
    let enforcement = Enforcement {
        wanted: before.wanted.clone(),
        is_begun: before.is_begun || is_applied,
        applied: if is_applied { before.wanted.clone() } else { before.applied.clone() },
        applied_at: if is_changed { Some(now) } else { before.applied_at },
        status,
        reason: reason.map(str::to_owned),
        message,
        since: if is_same { before.since } else { now },
        failures,
        next_try: now + wait,
    };
    Next { enforcement: Some(enforcement), news }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_000_000);
    const EVERY: Span = Span::hours(1);

    fn failed(retry_after: Option<Span>) -> Tried {
        Tried::Failed(Failure { reason: "edge_away", message: "it does not answer".into(), retry_after })
    }

    fn stands(one: &Enforcement, tried: &Tried, now: Millis) -> Enforcement {
        after(one, tried, EVERY, now, 0).enforcement.unwrap()
    }

    #[test]
    fn what_is_wanted_is_made_and_looked_at_again_later() {
        assert_eq!(noted(None, None, NOW), None);
        let new = noted(None, Some("a"), NOW).unwrap();
        assert_eq!((new.status, new.is_begun), (ConditionStatus::Pending, false));
        assert_eq!(step(&new, Drift::Report, NOW), Step::Make, "it was never made");
        let next = after(&new, &Tried::Made { is_changed: true }, EVERY, NOW, u32::MAX);
        assert_eq!(next.news, Some(News::Enforced));
        let made = next.enforcement.unwrap();
        assert_eq!((made.next_try, made.applied_at), (NOW + EVERY, Some(NOW)));
        assert_eq!(step(&made, Drift::Correct, NOW), Step::Rest);
        assert_eq!(step(&made, Drift::Correct, NOW + EVERY), Step::Make);
        assert_eq!(step(&made, Drift::Report, NOW + EVERY), Step::Look);
        assert_eq!(noted(Some(&made), Some("a"), NOW), None);
        let again = after(&made, &Tried::Made { is_changed: false }, EVERY, NOW + EVERY, 0);
        assert_eq!((again.news, again.enforcement.unwrap().since), (None, NOW));
        let otherwise = after(&made, &Tried::Looked { is_so: false }, EVERY, NOW + EVERY, 0);
        assert_eq!(otherwise.news, Some(News::Drifted));
        assert_eq!(otherwise.enforcement.unwrap().applied, made.applied, "so it is only looked at again");
    }

    #[test]
    fn what_is_wanted_otherwise_is_tried_at_once_and_is_news_again() {
        let made = stands(&noted(None, Some("a"), NOW).unwrap(), &Tried::Made { is_changed: true }, NOW);
        let mut failing = made.clone();
        for _ in 0..20 {
            failing = stands(&failing, &failed(None), NOW);
        }
        assert!(failing.next_try <= NOW + EDGE_RETRY_MAX);
        let changed = noted(Some(&failing), Some("b"), NOW).unwrap();
        assert_eq!((changed.failures, changed.next_try, changed.is_begun), (0, NOW, true));
        assert_eq!(step(&changed, Drift::Report, NOW), Step::Make);
        assert_eq!(after(&changed, &failed(None), EVERY, NOW, 0).news, Some(News::Failed));
    }

    #[test]
    fn what_leaves_is_forgotten_when_nothing_of_it_is_at_the_edge() {
        let new = noted(None, Some("a"), NOW).unwrap();
        let never_there = noted(Some(&stands(&new, &failed(None), NOW)), None, NOW).unwrap();
        assert_eq!(step(&never_there, Drift::Correct, NOW), Step::Forget);
        let leaving = noted(Some(&begin(new)), None, NOW).unwrap();
        assert_eq!(step(&leaving, Drift::Correct, NOW), Step::Remove);
        let stuck = after(&leaving, &failed(None), EVERY, NOW, 0);
        assert_eq!(stuck.news, Some(News::Failed));
        let stuck = stuck.enforcement.unwrap();
        assert_eq!(noted(Some(&stuck), None, NOW), None, "it is known");
        assert_eq!(after(&stuck, &Tried::Removed, EVERY, NOW, 0), Next { enforcement: None, news: Some(News::Ended) });
    }

    #[test]
    fn the_edge_may_ask_for_more_time_and_not_for_ever() {
        let new = noted(None, Some("a"), NOW).unwrap();
        assert_eq!(stands(&new, &failed(Some(Span::seconds(90))), NOW).next_try, NOW + Span::seconds(90));
        assert_eq!(stands(&new, &failed(Some(Span::days(90))), NOW).next_try, NOW + EDGE_RETRY_AFTER_MAX);
    }

    #[derive(Debug, Clone)]
    enum Happening {
        Wanted(Option<u8>),
        /// A try; whether the edge does it, whether it answers, and whether the hub lives to write that down.
        Try {
            does: bool,
            answers: bool,
            lives: bool,
        },
    }

    fn happening() -> impl Strategy<Value = Happening> {
        let wanted = proptest::option::of(0u8..3).prop_map(Happening::Wanted);
        let tried = (any::<bool>(), any::<bool>(), any::<bool>());
        prop_oneof![wanted, tried.prop_map(|(does, answers, lives)| Happening::Try { does, answers, lives })]
    }

    /// One step at an edge. The hub keeps `begin` before it asks for a change.
    fn turn(row: &mut Option<Enforcement>, edge: &mut Option<String>, now: Millis, fate: (bool, bool, bool)) {
        let (does, answers, lives) = fate;
        let Some(one) = row.clone() else { return };
        let wanted = one.wanted.clone();
        let tried = match step(&one, Drift::Correct, now.max(one.next_try)) {
            Step::Rest | Step::Look => return,
            Step::Forget => Tried::Removed,
            Step::Make | Step::Remove => {
                *row = Some(begin(one.clone()));
                if does {
                    edge.clone_from(&wanted);
                }
                match (does && answers, wanted) {
                    (false, _) => failed(None),
                    (true, Some(_)) => Tried::Made { is_changed: true },
                    (true, None) => Tried::Removed,
                }
            }
        };
        if lives {
            let one = row.clone().unwrap_or(one);
            *row = after(&one, &tried, EVERY, now, 0).enforcement;
        }
    }

    proptest! {
        #[test]
        fn whatever_dies_in_between_the_edge_comes_to_what_is_wanted(all in prop::collection::vec(happening(), 0..40)) {
            let (mut row, mut edge, mut wanted) = (None, None, None);
            let mut now = NOW;
            for one in all {
                now = now + Span::seconds(1);
                match one {
                    Happening::Wanted(this) => {
                        wanted = this.map(|number| number.to_string());
                        row = noted(row.as_ref(), wanted.as_deref(), now).or(row);
                    }
                    Happening::Try { does, answers, lives } => turn(&mut row, &mut edge, now, (does, answers, lives)),
                }
                prop_assert!(edge.is_none() || row.is_some(), "what is at the edge is known");
            }
            for _ in 0..3 {
                turn(&mut row, &mut edge, now, (true, true, true));
            }
            prop_assert_eq!(&edge, &wanted);
            prop_assert_eq!(row.is_some(), wanted.is_some());
        }
    }
}
