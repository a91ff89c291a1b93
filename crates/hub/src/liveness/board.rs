//! When each node was last heard, in memory. All times on the board are of the clock that nobody sets: however the
//! machine's is put forward or back, silence is as long as it is.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sortie_rules::backups::Heard;
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::liveness::{Change, ChosenThresholds, Presence, Thresholds, heard, look};
use sortie_rules::time::{Millis, Span};

use sortie_store::nodes::PresenceRow;

use super::check::record_change;
use crate::app::{App, Shared};
use crate::clock::Clock;
use crate::settings::Presence as Settings;

/// What is known of each node's presence.
#[derive(Debug)]
pub(crate) struct PresenceBoard {
    clock: Clock,
    seen: Mutex<BTreeMap<NodeId, Seen>>,
    /// From which silence on nodes of each kind are stale and down.
    settings: Settings,
    /// Since when nodes were heard, as whoever judges their backups knows.
    heard_for_backups: Mutex<Option<Heard>>,
}

/// One node on the board.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) org: OrgId,
    pub(crate) said: Presence,
    pub(crate) heard_at: Option<Millis>,
    /// Since when it is silent, not counting time in which no hub listened.
    pub(crate) silent_since: Millis,
    /// The same as the store said it last. What it says again is no news, by whatever clock it was written.
    stored: Option<Millis>,
    /// What holds for it: its own thresholds, or those of its kind.
    pub(crate) thresholds: Thresholds,
    /// Heard since it was last written down.
    pub(crate) unwritten: bool,
}

impl Seen {
    fn hear(&mut self, now: Millis) {
        self.heard_at = Some(now);
        self.silent_since = now;
        self.unwritten = true;
    }
}

/// A change of presence that must be written down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changed {
    pub(crate) node: NodeId,
    pub(crate) org: OrgId,
    pub(crate) presence: Presence,
    pub(crate) change: Change,
}

impl PresenceBoard {
    /// One on which nothing stands yet.
    pub(crate) fn new(clock: &Clock, settings: Settings) -> PresenceBoard {
        PresenceBoard { clock: clock.clone(), seen: Mutex::default(), settings, heard_for_backups: Mutex::default() }
    }

    /// Since when nodes were heard, as of the last look at backups' deadlines; nothing before the first.
    pub(crate) fn heard_for_backups(&self) -> Option<Heard> {
        *self.heard_for_backups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, as of this look.
    pub(crate) fn set_heard_for_backups(&self, heard: Heard) {
        *self.heard_for_backups.lock().unwrap_or_else(PoisonError::into_inner) = Some(heard);
    }

    /// Takes over what the store knows of a node. What was heard here and is not written down yet counts as well.
    pub(crate) fn learn(&self, row: PresenceRow) {
        let moved_ms = self.clock.moved_ms();
        let mut board = self.board();
        if row.revoked {
            board.remove(&row.id);
            return;
        }
        let own = board.get(&row.id).copied();
        let unwritten = own.filter(|own| own.unwritten);
        let (heard_at, silent_since) = match own.filter(|own| own.stored == Some(row.silent_since)) {
            Some(own) => (own.heard_at, own.silent_since),
            None => {
                let heard_at = row.heard_at.map(|at| later(at, -moved_ms)).max(own.and_then(|own| own.heard_at));
                // What a clock that was ahead has written begins now at the latest.
                let silent_since = later(row.silent_since, -moved_ms).min(self.clock.steady());
                (heard_at, own.map_or(silent_since, |own| own.silent_since.max(silent_since)))
            }
        };
        let seen = Seen {
            org: row.org,
            said: unwritten.map_or(row.presence, |own| own.said),
            heard_at,
            silent_since,
            stored: Some(row.silent_since),
            thresholds: row.chosen.over(self.settings.thresholds(&row.kind)),
            unwritten: unwritten.is_some(),
        };
        board.insert(row.id, seen);
    }

    /// Another hub has said this of a node. One that is online was heard there just now, though it is not written down
    /// yet: a look that is under way finds no silence.
    pub(crate) fn said_elsewhere(&self, node: NodeId, presence: Presence) {
        let now = self.clock.steady();
        if let Some(seen) = self.board().get_mut(&node).filter(|seen| !seen.unwritten) {
            seen.said = presence;
            if presence == Presence::Online {
                seen.silent_since = seen.silent_since.max(now);
            }
        }
    }

    /// A node enrolled, for the first time or anew: it was not heard on its own line yet, whoever spoke there
    /// before.
    pub(crate) fn enrolled(&self, node: NodeId, org: OrgId, kind: &str, chosen: ChosenThresholds) {
        let thresholds = chosen.over(self.settings.thresholds(kind));
        self.board().insert(node, fresh(org, thresholds, self.clock.steady()));
    }

    /// A revoked node is not missed.
    pub(crate) fn forget(&self, node: NodeId) {
        self.board().remove(&node);
    }

    /// Whether this hub heard the node not longer ago than this.
    pub(crate) fn was_heard_within(&self, node: NodeId, span: Span) -> bool {
        let since = self.clock.steady() - span;
        self.board().get(&node).and_then(|seen| seen.heard_at).is_some_and(|at| at >= since)
    }

    /// The node gave a sign of life. A change of presence is written down in the background.
    pub(crate) fn heard(&self, app: &Shared, node: NodeId, org: OrgId) {
        if let Some(changed) = self.note(node, org) {
            let (app, now) = (app.clone(), app.clock.now());
            tokio::spawn(async move {
                if let Err(error) = record_change(&app.store, vec![changed], now).await {
                    tracing::warn!(%node, %error, "Could not write down that a node is there");
                    app.presence.take_back(changed);
                }
            });
        }
    }

    pub(super) fn note(&self, node: NodeId, org: OrgId) -> Option<Changed> {
        let now = self.clock.steady();
        let mut board = self.board();
        // What it is like is learned at the next look.
        let seen = board.entry(node).or_insert_with(|| fresh(org, self.settings.thresholds(""), now));
        seen.hear(now);
        let (presence, change) = heard(seen.said);
        seen.said = presence;
        change.map(|change| Changed { node, org: seen.org, presence, change })
    }

    /// A change could not be written: the next sign of life shall be a change again.
    fn take_back(&self, changed: Changed) {
        if let Some(seen) = self.board().get_mut(&changed.node) {
            seen.said = if changed.change == Change::FirstHeard { Presence::New } else { Presence::Down };
        }
    }

    /// Notes that nodes with a held wait are there, for the hub that looks at silence.
    pub(crate) fn hear_held(&self, app: &App) {
        let now = self.clock.steady();
        let mut board = self.board();
        let held = board.iter_mut().filter(|(node, _)| app.waiting.is_held(**node));
        held.for_each(|(_, seen)| seen.hear(now));
    }

    /// Looks at nodes' silence, in the order of their ids after this one, until so many of them have changed. Returns
    /// the changes, and after which node to go on; nothing: these were all. Nodes with a held wait are there.
    pub(crate) fn look(
        &self,
        is_held: impl Fn(NodeId) -> bool,
        after: Option<NodeId>,
        limit: usize,
    ) -> (Vec<Changed>, Option<NodeId>) {
        let (mut changes, now) = (Vec::new(), self.clock.steady());
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        for (node, seen) in self.board().range_mut((from, Bound::Unbounded)) {
            if is_held(*node) {
                seen.hear(now);
            }
            let (presence, change) = look(seen.said, now.since(seen.silent_since), seen.thresholds);
            if let Some(change) = change {
                changes.push(Changed { node: *node, org: seen.org, presence, change });
                if changes.len() >= limit {
                    return (changes, Some(*node));
                }
            }
        }
        (changes, None)
    }

    /// Changes that were written are said from now on. A node that was heard since the look comes back at the next one:
    /// which of both was written last is not known here, and what is written already is not told again.
    pub(crate) fn say(&self, changes: &[Changed]) {
        let mut board = self.board();
        for changed in changes {
            if let Some(seen) = board.get_mut(&changed.node) {
                seen.said = changed.presence;
            }
        }
    }

    /// Takes what was heard since the last time, to be written down together, in the time that the machine's clock
    /// shows.
    pub(crate) fn take_unwritten(&self) -> Vec<(NodeId, Millis, Millis)> {
        let moved_ms = self.clock.moved_ms();
        let mut board = self.board();
        let heard = board.iter_mut().filter_map(|(node, seen)| {
            let heard_at = seen.heard_at.filter(|_| std::mem::take(&mut seen.unwritten))?;
            Some((*node, later(heard_at, moved_ms), later(seen.silent_since, moved_ms)))
        });
        heard.collect()
    }

    /// What was taken could not be written down: it goes with the next.
    pub(crate) fn not_written(&self, heard: &[(NodeId, Millis, Millis)]) {
        let mut board = self.board();
        for (node, ..) in heard {
            if let Some(seen) = board.get_mut(node) {
                seen.unwritten = true;
            }
        }
    }

    /// When a node was last heard, in the time that the machine's clock shows.
    pub(crate) fn heard_at(&self, node: NodeId) -> Option<Millis> {
        let heard_at = self.board().get(&node)?.heard_at;
        heard_at.map(|at| later(at, self.clock.moved_ms()))
    }

    /// A node's kind or its own thresholds were changed.
    pub(crate) fn set_thresholds(&self, node: NodeId, kind: &str, chosen: ChosenThresholds) {
        let thresholds = chosen.over(self.settings.thresholds(kind));
        if let Some(seen) = self.board().get_mut(&node) {
            seen.thresholds = thresholds;
        }
    }

    fn board(&self) -> MutexGuard<'_, BTreeMap<NodeId, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A node that was not heard yet.
fn fresh(org: OrgId, thresholds: Thresholds, now: Millis) -> Seen {
    let (said, heard_at, stored) = (Presence::New, None, None);
    Seen { org, said, heard_at, silent_since: now, stored, thresholds, unwritten: false }
}

/// So many milliseconds later, or earlier, if negative.
fn later(at: Millis, ms: i64) -> Millis {
    Millis(at.0.saturating_add(ms))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use sortie_rules::ids::{DEFAULT_ORG, Id};

    /// A board whose clock stands until it is moved: the time that passes, and what it was put forward by beside that.
    struct Stage {
        passed: Arc<AtomicI64>,
        put: Arc<AtomicI64>,
        board: PresenceBoard,
    }

    impl Stage {
        fn new() -> Stage {
            let began = Span::days(10_000).0;
            let (passed, put) = (Arc::new(AtomicI64::new(began)), Arc::new(AtomicI64::new(0)));
            let steady = {
                let passed = Arc::clone(&passed);
                move || Millis(passed.load(Ordering::Relaxed))
            };
            let shown = {
                let (steady, put) = (steady.clone(), Arc::clone(&put));
                move || later(steady(), put.load(Ordering::Relaxed))
            };
            Stage { passed, put, board: PresenceBoard::new(&Clock::of(shown, steady), Settings::default()) }
        }

        fn pass(&self, span: Span) {
            self.passed.fetch_add(span.0, Ordering::Relaxed);
        }

        fn put_forward(&self, ms: i64) {
            self.put.fetch_add(ms, Ordering::Relaxed);
        }

        fn look(&self) -> Vec<Change> {
            let (changes, _) = self.board.look(|_| false, None, 100);
            self.board.say(&changes);
            changes.into_iter().map(|changed| changed.change).collect()
        }

        fn heard(&self, number: u128) {
            self.board.note(node(number), DEFAULT_ORG);
        }
    }

    fn node(number: u128) -> NodeId {
        Id::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn row(number: u128, presence: Presence, since: Millis) -> PresenceRow {
        let (id, org, heard_at) = (node(number), DEFAULT_ORG, Some(since));
        let (kind, chosen, revoked) = ("host".into(), ChosenThresholds::default(), false);
        PresenceRow { id, org, presence, silent_since: since, heard_at, kind, chosen, revoked }
    }

    #[test]
    fn silence_is_as_long_as_it_is_however_the_clock_is_put() {
        for jump in [Span::days(1).0, -Span::days(1).0] {
            let stage = Stage::new();
            stage.heard(1);
            stage.pass(Span::minutes(40));
            assert_eq!(stage.look(), [Change::WentStale]);
            stage.heard(2);
            stage.put_forward(jump);
            assert_eq!(stage.look(), [], "nobody is missed, and nobody has come back");
            stage.pass(Span::minutes(20));
            assert_eq!(stage.look(), [Change::WentDown], "after an hour, whatever the clock shows");
            stage.pass(Span::minutes(10));
            assert_eq!(stage.look(), [Change::WentStale], "the other after half an hour");
            assert_eq!(stage.board.heard_at(node(2)), Some(later(stage.board.clock.now(), -30 * 60_000)));
        }
    }

    #[test]
    fn what_the_store_says_again_is_no_news_by_another_clock() {
        for jump in [Span::days(1).0, -Span::days(1).0] {
            let stage = Stage::new();
            let before = stage.board.clock.now();
            stage.board.learn(row(1, Presence::Online, before));
            stage.pass(Span::minutes(40));
            assert_eq!(stage.look(), [Change::WentStale]);
            stage.put_forward(jump);
            stage.board.learn(row(1, Presence::Stale, before));
            assert_eq!(stage.look(), []);
            // As the leader moves it.
            stage.board.learn(row(1, Presence::Stale, later(before, jump)));
            assert_eq!(stage.look(), []);
            // Another hub has heard it.
            let now = stage.board.clock.now();
            stage.board.learn(row(1, Presence::Stale, now));
            assert_eq!(stage.look(), [Change::Recovered]);
            assert_eq!(stage.board.heard_at(node(1)), Some(now));
        }
    }

    #[test]
    fn who_has_come_back_at_another_hub_is_not_missed_by_a_look_that_is_under_way() {
        let stage = Stage::new();
        stage.board.learn(row(1, Presence::Stale, stage.board.clock.now()));
        stage.pass(Span::minutes(60));
        stage.board.said_elsewhere(node(1), Presence::Online);
        assert_eq!(stage.look(), []);
        stage.pass(Span::minutes(30));
        assert_eq!(stage.look(), [Change::WentStale], "its silence begins there");
        stage.board.said_elsewhere(node(1), Presence::Down);
        assert_eq!(stage.look(), [], "that it is down says nothing of when it was heard");
    }

    #[test]
    fn who_is_heard_while_its_silence_is_written_comes_back_at_the_next_look() {
        let stage = Stage::new();
        stage.heard(1);
        stage.pass(Span::minutes(30));
        let (changes, _) = stage.board.look(|_| false, None, 100);
        stage.heard(1);
        stage.board.say(&changes);
        assert_eq!(stage.look(), [Change::Recovered], "else it is stale for ever where that was written last");
        assert_eq!(stage.look(), []);
    }

    #[test]
    fn what_was_heard_is_written_in_the_time_that_the_clock_shows() {
        let stage = Stage::new();
        stage.put_forward(Span::hours(3).0);
        stage.heard(1);
        let now = stage.board.clock.now();
        stage.pass(Span::minutes(1));
        assert_eq!(stage.board.take_unwritten(), [(node(1), now, now)]);
        assert_eq!(stage.board.take_unwritten(), []);
        assert!(stage.board.was_heard_within(node(1), Span::minutes(1)));
        assert!(!stage.board.was_heard_within(node(1), Span::seconds(59)));
    }

    #[test]
    fn who_is_said_to_fall_silent_in_the_future_does_so_now() {
        let stage = Stage::new();
        stage.board.learn(row(1, Presence::Online, stage.board.clock.now() + Span::days(1)));
        stage.pass(Span::minutes(30));
        assert_eq!(stage.look(), [Change::WentStale]);
    }
}
