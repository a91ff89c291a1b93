//! Who of several hubs on one database does what needs doing once. The one that does counts a beat up; the others watch
//! it, each by its own stopwatch, so that no clocks need agree. Two leaders at once for a moment do no harm: what they
//! do is the same when it is done twice.

use crate::limits::LEADER_LAPSE;
use crate::time::Span;

/// What a hub saw of a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'s> {
    /// Who holds it.
    pub holder: &'s str,
    /// For how long this hub has seen the same beat of the same holder.
    pub unchanged_for: Span,
}

/// What it does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Takes it, or keeps it: another beat.
    Take,
    /// Somebody else has it, and may live.
    Wait,
}

/// Decides. `own` is a name of this start of this hub.
pub fn look(own: &str, seen: Option<Seen<'_>>) -> Look {
    match seen {
        Some(seen) if seen.holder != own && seen.unchanged_for < LEADER_LAPSE => Look::Wait,
        _ => Look::Take,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duty_is_kept_and_taken_only_from_nobody_or_from_whoever_has_stopped_beating() {
        let seen = |holder, unchanged_for| Some(Seen { holder, unchanged_for });
        assert_eq!(look("one", None), Look::Take);
        assert_eq!(look("one", seen("one", Span::ZERO)), Look::Take);
        assert_eq!(look("one", seen("one", LEADER_LAPSE)), Look::Take);
        assert_eq!(look("other", seen("one", Span::ZERO)), Look::Wait);
        assert_eq!(look("other", seen("one", Span(LEADER_LAPSE.0 - 1))), Look::Wait);
        assert_eq!(look("other", seen("one", LEADER_LAPSE)), Look::Take);
    }
}
