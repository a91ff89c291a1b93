//! Whether a node is there, told from how long the hub has not heard it.

use serde::{Deserialize, Serialize};

use crate::limits::HUB_CLOCKS_APART_MAX;
use crate::time::{Millis, Span};

/// What is said of a node's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Enrolled, never heard since.
    New,
    /// Heard lately.
    Online,
    /// Silent for longer than `stale_after`.
    Stale,
    /// Silent for longer than `down_after`.
    Down,
}

impl Presence {
    /// The word for it in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Presence::New => "new",
            Presence::Online => "online",
            Presence::Stale => "stale",
            Presence::Down => "down",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Presence> {
        [Presence::New, Presence::Online, Presence::Stale, Presence::Down].into_iter().find(|p| p.as_str() == word)
    }
}

/// From which silence on a node is called stale and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Silence after which a node is stale.
    pub stale_after: Span,
    /// Silence after which a node is down; at least `stale_after`.
    pub down_after: Span,
}

/// Thresholds that somebody has chosen, for one node or for a kind of nodes; what nobody chose is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChosenThresholds {
    /// Silence after which a node is stale.
    pub stale_after: Option<Span>,
    /// Silence after which a node is down.
    pub down_after: Option<Span>,
}

impl ChosenThresholds {
    /// What holds where these were chosen and those hold otherwise. Who chose only that a node is stale late does not
    /// find it down before.
    pub fn over(self, otherwise: Thresholds) -> Thresholds {
        let stale_after = self.stale_after.unwrap_or(otherwise.stale_after);
        let down_after = self.down_after.unwrap_or(otherwise.down_after).max(stale_after);
        Thresholds { stale_after, down_after }
    }
}

/// A change of presence that people are told of (B-25).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It fell silent.
    WentStale,
    /// It has been silent for long.
    WentDown,
    /// It is back after having been stale or down.
    Recovered,
    /// It was heard for the first time.
    FirstHeard,
}

/// What presence a silence means, and what changed if that differs from what was said before.
///
/// `silence` counts only time in which the hub could hear; see [`listened_silence`]. A jump from
/// online to down in one look is one change, `WentDown`.
pub fn look(said: Presence, silence: Span, thresholds: Thresholds) -> (Presence, Option<Change>) {
    let seen = if silence >= thresholds.down_after {
        Presence::Down
    } else if silence >= thresholds.stale_after {
        Presence::Stale
    } else {
        Presence::Online
    };
    match (said, seen) {
        // A node that never came is not missed: nobody was told that it is there.
        (Presence::New, _) => (Presence::New, None),
        (Presence::Online, Presence::Stale) => (seen, Some(Change::WentStale)),
        (Presence::Online | Presence::Stale, Presence::Down) => (seen, Some(Change::WentDown)),
        // Down stays down until the node is heard, even if someone raises the thresholds.
        (Presence::Down, Presence::Stale) => (Presence::Down, None),
        (Presence::Stale | Presence::Down, Presence::Online) => (seen, Some(Change::Recovered)),
        (same, _) => (same, None),
    }
}

/// What hearing a node changes.
pub fn heard(said: Presence) -> (Presence, Option<Change>) {
    match said {
        Presence::New => (Presence::Online, Some(Change::FirstHeard)),
        Presence::Online => (Presence::Online, None),
        Presence::Stale | Presence::Down => (Presence::Online, Some(Change::Recovered)),
    }
}

/// Moves a node's last sign of life forward over the time in which the hub itself was away, so
/// that a hub that slept for a day does not find its whole fleet down.
///
/// `away_from..away_until` is when nobody listened. A node heard after `away_from` (by another
/// replica, say) is moved by the rest only.
pub fn skip_absence(heard_at: Millis, away_from: Millis, away_until: Millis) -> Millis {
    let from = away_from.max(heard_at);
    heard_at + away_until.since(from)
}

/// Whether nobody listened from `alive_at` on, when a hub on the database last said that it did, until `now`, when
/// another one starts. Where a leader seems to live somebody listened, unless none has said so for longer than the
/// clocks of hubs are apart: a lock may outlive the machine of whoever held it.
pub fn nobody_listened(alive_at: Millis, now: Millis, leader_may_live: bool) -> bool {
    !leader_may_live || now.since(alive_at) > HUB_CLOCKS_APART_MAX
}

/// How long a node has been silent while the hub listened.
pub fn listened_silence(heard_at: Millis, now: Millis) -> Span {
    now.since(heard_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T: Thresholds = Thresholds { stale_after: Span::minutes(30), down_after: Span::minutes(60) };

    #[test]
    fn thresholds_are_met_on_the_minute() {
        let after = |minutes| look(Presence::Online, Span::minutes(minutes), T);
        assert_eq!(after(29), (Presence::Online, None));
        assert_eq!(after(30), (Presence::Stale, Some(Change::WentStale)));
        assert_eq!(after(60), (Presence::Down, Some(Change::WentDown)));
    }

    #[test]
    fn what_was_chosen_holds_and_nobody_is_down_before_being_stale() {
        let chosen = |stale: Option<i64>, down: Option<i64>| {
            let chosen =
                ChosenThresholds { stale_after: stale.map(Span::minutes), down_after: down.map(Span::minutes) };
            let held = chosen.over(T);
            (held.stale_after.0 / 60_000, held.down_after.0 / 60_000)
        };
        assert_eq!(chosen(None, None), (30, 60));
        assert_eq!(chosen(Some(5), None), (5, 60));
        assert_eq!(chosen(None, Some(45)), (30, 45));
        assert_eq!(chosen(Some(90), None), (90, 90));
        let of_kind = ChosenThresholds { stale_after: Some(Span::minutes(5)), down_after: None }.over(T);
        let own = ChosenThresholds { stale_after: None, down_after: Some(Span::minutes(6)) }.over(of_kind);
        assert_eq!((own.stale_after, own.down_after), (Span::minutes(5), Span::minutes(6)));
    }

    #[test]
    fn a_node_that_never_came_is_not_missed() {
        assert_eq!(look(Presence::New, Span::days(9), T), (Presence::New, None));
        assert_eq!(heard(Presence::New), (Presence::Online, Some(Change::FirstHeard)));
    }

    #[test]
    fn time_in_which_the_hub_was_away_does_not_count() {
        let heard_at = Millis(0);
        let moved = skip_absence(heard_at, Millis(60_000), Millis(86_400_000));
        assert_eq!(listened_silence(moved, Millis(86_400_000)), Span(60_000));
        let heard_by_another = skip_absence(Millis(80_000_000), Millis(60_000), Millis(86_400_000));
        assert_eq!(heard_by_another, Millis(86_400_000));
    }

    #[test]
    fn nobody_was_away_where_a_leader_seems_to_live_and_somebody_has_said_so_lately() {
        let alive_at = Millis(86_400_000);
        let latest = alive_at + HUB_CLOCKS_APART_MAX;
        assert!(nobody_listened(alive_at, alive_at, false), "there is no leader");
        assert!(!nobody_listened(alive_at, latest, true));
        assert!(!nobody_listened(alive_at, Millis(0), true), "a clock that is behind proves nothing");
        assert!(nobody_listened(alive_at, latest + Span(1), true), "a lock that has outlived its machine");
    }

    proptest! {
        /// B-25: events on transition only, and they alternate.
        #[test]
        fn silence_and_signs_of_life_give_alternating_changes(steps in proptest::collection::vec(0i64..90, 1..60)) {
            let (mut said, mut alarmed) = (Presence::Online, false);
            for silent_minutes in steps {
                // A step of 0 is a sign of life, any other a look at that many minutes of silence.
                let (next, change) = match silent_minutes {
                    0 => heard(said),
                    minutes => look(said, Span::minutes(minutes), T),
                };
                match change {
                    Some(Change::WentStale) => { prop_assert!(!alarmed); alarmed = true; }
                    Some(Change::WentDown) => alarmed = true,
                    Some(Change::Recovered) => { prop_assert!(alarmed); alarmed = false; }
                    Some(Change::FirstHeard) => prop_assert!(false, "it was known"),
                    None => {}
                }
                prop_assert_eq!(alarmed, next != Presence::Online);
                said = next;
            }
        }
    }
}
