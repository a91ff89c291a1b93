//! How a layer's state goes out to nodes: to all at once, or so many at a time, until all have it, too many did not
//! come in order with it in time, somebody stops it, or a newer one takes its place.

use serde::{Deserialize, Serialize};

use super::conditions::Standing;
use crate::time::{Millis, Span};

/// A publication, as far as decisions need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publication {
    /// Where it stands.
    pub status: PublicationStatus,
    /// How many nodes may be on their way to it at once; absent: all get it at once, and none is waited for.
    pub at_a_time: Option<u32>,
    /// It stops when so many nodes did not come in order in time.
    pub stop_failures: Option<u32>,
    /// How long a node has for that.
    pub within: Span,
    /// Whether nodes that have it get the one before when it stops.
    pub rolls_back: bool,
}

/// Where a publication stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicationStatus {
    /// It goes out.
    Running,
    /// It goes back: nodes that have it get what they had before.
    RollingBack,
    /// Every node has it, or will have it when it comes.
    Completed,
    /// It goes out no further; nodes that have it keep it.
    Stopped,
    /// No node has it any more.
    RolledBack,
    /// A newer publication of its layer took its place.
    Superseded,
}

/// How a node of a publication fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeStage {
    /// It has what it had before.
    Waiting,
    /// It was given the state and is waited for.
    Released,
    /// It is in order with it.
    Converged,
    /// It did not come in order in time.
    Failed,
    /// It was given the state, and nobody waits for it: it was away when the others were through, or none is waited
    /// for.
    Given,
    /// It got back what it had before.
    TakenBack,
    /// It never got it, and never will.
    Skipped,
}

/// How many of its nodes stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Waiting, and heard of lately.
    pub waiting: u32,
    /// Waiting, and away.
    pub away: u32,
    /// Given it, and waited for.
    pub released: u32,
    /// In order with it.
    pub converged: u32,
    /// Not in order in time.
    pub failed: u32,
}

/// What is to be done about a publication now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until something changes.
    Rest,
    /// Give it to at most so many of the nodes that wait and are there.
    Release(u32),
    /// Give it to all that wait, whether they are there or not, and wait for none of them.
    Give,
    /// Give the nodes that have it what they had before.
    TakeBack,
    /// Go over to this.
    Become(PublicationStatus),
}

/// What somebody asked of a publication cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is over, or about to be.
    #[error("the publication is {}", .0.as_str())]
    Over(PublicationStatus),
}

impl PublicationStatus {
    /// All of them.
    pub const ALL: [PublicationStatus; 6] = [
        PublicationStatus::Running,
        PublicationStatus::RollingBack,
        PublicationStatus::Completed,
        PublicationStatus::Stopped,
        PublicationStatus::RolledBack,
        PublicationStatus::Superseded,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            PublicationStatus::Running => "running",
            PublicationStatus::RollingBack => "rolling_back",
            PublicationStatus::Completed => "completed",
            PublicationStatus::Stopped => "stopped",
            PublicationStatus::RolledBack => "rolled_back",
            PublicationStatus::Superseded => "superseded",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<PublicationStatus> {
        PublicationStatus::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether it is over.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, PublicationStatus::Running | PublicationStatus::RollingBack)
    }
}

impl NodeStage {
    /// All of them.
    pub const ALL: [NodeStage; 7] = [
        NodeStage::Waiting,
        NodeStage::Released,
        NodeStage::Converged,
        NodeStage::Failed,
        NodeStage::Given,
        NodeStage::TakenBack,
        NodeStage::Skipped,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            NodeStage::Waiting => "waiting",
            NodeStage::Released => "released",
            NodeStage::Converged => "converged",
            NodeStage::Failed => "failed",
            NodeStage::Given => "given",
            NodeStage::TakenBack => "taken_back",
            NodeStage::Skipped => "skipped",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<NodeStage> {
        NodeStage::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// Whether a node that stands so has the state.
    pub const fn has_it(self) -> bool {
        matches!(self, NodeStage::Released | NodeStage::Converged | NodeStage::Failed | NodeStage::Given)
    }
}

/// What is to be done now. `has_it` nodes are those that have the state and have not got back what they had.
pub fn next(publication: &Publication, counts: &Counts, has_it: u32) -> Next {
    match publication.status {
        PublicationStatus::RollingBack if has_it > 0 => Next::TakeBack,
        PublicationStatus::RollingBack => Next::Become(PublicationStatus::RolledBack),
        PublicationStatus::Running => running(publication, counts),
        PublicationStatus::Completed
        | PublicationStatus::Stopped
        | PublicationStatus::RolledBack
        | PublicationStatus::Superseded => Next::Rest,
    }
}

fn running(publication: &Publication, counts: &Counts) -> Next {
    let waiting = counts.waiting + counts.away;
    let Some(at_a_time) = publication.at_a_time else {
        return if waiting > 0 { Next::Give } else { Next::Become(PublicationStatus::Completed) };
    };
    if publication.stop_failures.is_some_and(|most| counts.failed >= most) {
        let after = if publication.rolls_back { PublicationStatus::RollingBack } else { PublicationStatus::Stopped };
        return Next::Become(after);
    }
    match (at_a_time.saturating_sub(counts.released).min(counts.waiting), counts.released) {
        (0, 0) if counts.waiting == 0 && counts.away > 0 => Next::Give,
        (0, 0) if waiting == 0 => Next::Become(PublicationStatus::Completed),
        (0, _) => Next::Rest,
        (nodes, _) => Next::Release(nodes),
    }
}

/// Stops it. Asking again changes nothing; `rolls_back` may be asked of one that has stopped without it.
pub fn stop(status: PublicationStatus, rolls_back: bool) -> Result<PublicationStatus, Refusal> {
    match (status, rolls_back) {
        (PublicationStatus::Running, false) => Ok(PublicationStatus::Stopped),
        (PublicationStatus::Running | PublicationStatus::Stopped, true) => Ok(PublicationStatus::RollingBack),
        (PublicationStatus::Stopped | PublicationStatus::RollingBack, _) => Ok(status),
        (over, _) => Err(Refusal::Over(over)),
    }
}

/// Whether a node that was given a generation is in order with it, by what it has reported.
pub fn has_converged(given: u64, observed: u64, standing: Standing) -> bool {
    observed >= given && standing == Standing::Converged
}

/// Whether a node that is not in order had its time.
pub fn is_too_late(released_at: Millis, within: Span, now: Millis) -> bool {
    now.since(released_at) >= within
}

/// What a hub knows of the nodes that a publication waits for, and that it does not hear.
#[derive(Debug, Clone, Copy)]
pub struct Hearing {
    /// It is the hub that leads.
    pub leads: bool,
    /// No other hub can hear them.
    pub is_alone: bool,
    /// It has listened long enough since its start for a node that was there to come back.
    pub has_listened: bool,
    /// Some hub has heard one of them of late.
    pub was_heard: bool,
}

/// Whether those nodes are away, as far as a hub can tell.
pub fn are_away(hearing: Hearing) -> bool {
    hearing.leads && ((hearing.is_alone && hearing.has_listened) || !hearing.was_heard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nodes_are_away_when_the_hub_that_leads_can_tell() {
        let away =
            |leads, is_alone, has_listened, was_heard| are_away(Hearing { leads, is_alone, has_listened, was_heard });
        assert!(away(true, true, true, true), "nobody else could hear them");
        assert!(!away(true, true, false, true), "they take a moment to come back");
        assert!(!away(true, false, true, true), "another hub hears them");
        assert!(away(true, false, true, false) && away(true, true, false, false));
        assert!(!away(false, true, true, false), "it is not this one's to say");
    }

    fn staged(at_a_time: u32, stop_failures: u32) -> Publication {
        Publication {
            status: PublicationStatus::Running,
            at_a_time: Some(at_a_time),
            stop_failures: Some(stop_failures),
            within: Span::minutes(5),
            rolls_back: false,
        }
    }

    #[test]
    fn so_many_at_a_time_and_those_that_are_away_last() {
        let two = staged(2, 1);
        let counts = |waiting, away, released| Counts { waiting, away, released, ..Counts::default() };
        assert_eq!(next(&two, &counts(5, 1, 0), 0), Next::Release(2));
        assert_eq!(next(&two, &counts(4, 1, 1), 1), Next::Release(1));
        assert_eq!(next(&two, &counts(3, 1, 2), 2), Next::Rest);
        assert_eq!(next(&two, &counts(0, 1, 1), 1), Next::Rest);
        assert_eq!(next(&two, &counts(0, 1, 0), 4), Next::Give);
        assert_eq!(next(&two, &counts(0, 0, 0), 5), Next::Become(PublicationStatus::Completed));
        let all = Publication { at_a_time: None, ..two };
        assert_eq!(next(&all, &counts(5, 1, 0), 0), Next::Give);
        assert_eq!(next(&all, &counts(0, 0, 0), 6), Next::Become(PublicationStatus::Completed));
    }

    #[test]
    fn too_many_failures_stop_it_and_take_it_back_if_asked() {
        let failed = Counts { waiting: 5, released: 1, failed: 2, ..Counts::default() };
        assert_eq!(next(&staged(3, 3), &failed, 3), Next::Release(2));
        assert_eq!(next(&staged(3, 2), &failed, 3), Next::Become(PublicationStatus::Stopped));
        let back = Publication { rolls_back: true, ..staged(3, 2) };
        assert_eq!(next(&back, &failed, 3), Next::Become(PublicationStatus::RollingBack));
        let rolling = Publication { status: PublicationStatus::RollingBack, ..back };
        assert_eq!(next(&rolling, &failed, 3), Next::TakeBack);
        assert_eq!(next(&rolling, &failed, 0), Next::Become(PublicationStatus::RolledBack));
    }

    #[test]
    fn somebody_may_stop_it_once_and_take_it_back_later() {
        use PublicationStatus::{Completed, RolledBack, RollingBack, Running, Stopped, Superseded};
        assert_eq!(stop(Running, false), Ok(Stopped));
        assert_eq!(stop(Stopped, false), Ok(Stopped));
        assert_eq!(stop(Running, true), Ok(RollingBack));
        assert_eq!(stop(Stopped, true), Ok(RollingBack));
        assert_eq!(stop(RollingBack, false), Ok(RollingBack));
        for over in [Completed, RolledBack, Superseded] {
            assert_eq!(stop(over, true), Err(Refusal::Over(over)));
        }
    }

    #[test]
    fn a_node_is_in_order_with_what_it_was_given_or_something_newer() {
        assert!(has_converged(5, 5, Standing::Converged) && has_converged(5, 6, Standing::Converged));
        assert!(!has_converged(5, 4, Standing::Converged) && !has_converged(5, 5, Standing::Drifted));
        assert!(!is_too_late(Millis(0), Span(10), Millis(9)) && is_too_late(Millis(0), Span(10), Millis(10)));
    }

    proptest! {
        /// Whatever nodes do, a publication comes to an end, never has more on their way than it may, and never goes
        /// on after so many failures.
        #[test]
        fn a_publication_keeps_its_bounds_and_ends(
            nodes in 1u32..30, at_a_time in 1u32..6, most in 1u32..4, rolls_back: bool,
            fates in proptest::collection::vec(any::<bool>(), 30), away in 0u32..5
        ) {
            let mut publication = Publication { rolls_back, ..staged(at_a_time, most) };
            let mut counts = Counts { waiting: nodes, away, ..Counts::default() };
            let (mut has_it, mut fate) = (0, fates.into_iter().cycle());
            for _ in 0..200 {
                match next(&publication, &counts, has_it) {
                    Next::Release(more) => {
                        prop_assert!(more > 0 && more <= counts.waiting);
                        counts.waiting -= more;
                        counts.released += more;
                        has_it += more;
                        prop_assert!(counts.released <= at_a_time);
                        prop_assert!(counts.failed < most);
                    }
                    Next::Give => {
                        prop_assert_eq!(counts.waiting, 0);
                        has_it += counts.away;
                        counts.away = 0;
                    }
                    Next::TakeBack => has_it = 0,
                    Next::Become(status) => publication.status = status,
                    Next::Rest if publication.status.is_terminal() => break,
                    Next::Rest => {
                        prop_assert!(counts.released > 0, "it rests and waits for nobody: {counts:?}");
                        counts.released -= 1;
                        if fate.next() == Some(true) { counts.converged += 1 } else { counts.failed += 1 }
                    }
                }
            }
            prop_assert!(publication.status.is_terminal());
            let fits = match publication.status {
                PublicationStatus::Completed => has_it == nodes + away && counts.failed < most,
                PublicationStatus::RolledBack => rolls_back && has_it == 0,
                PublicationStatus::Stopped => !rolls_back && counts.failed >= most,
                _ => false,
            };
            prop_assert!(fits, "{publication:?} {counts:?} {has_it}");
        }
    }
}
