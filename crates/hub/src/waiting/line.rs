//! One node's line: where its wait is held, and who may hand out the next delivery.
//!
//! Two locks with two duties. `turn` belongs to whoever is handing something out, across the write
//! that makes it durable: deliveries get their numbers one after another, and a newer wait cannot
//! judge what was lost before an older hand-over has come to its end. `bell` is held for moments
//! only, so that ringing never waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sortie_rules::arrivals::{self, Kept};
use sortie_rules::deliveries::{self, Ask};
use sortie_rules::ids::TaskId;
use sortie_wire::deliveries::HandedTask;
use tokio::sync::{OwnedMutexGuard, oneshot};

/// One node's line.
#[derive(Debug, Default)]
pub(crate) struct Line {
    turn: Arc<tokio::sync::Mutex<State>>,
    bell: Mutex<Bell>,
}

/// What is known of the line, for whoever has the turn.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Numbers and boots; `None` until read from the store.
    pub(crate) line: Option<deliveries::Line>,
    /// Rises with each wait that came in order; an older wait gives way.
    newest: u64,
}

#[derive(Debug, Default)]
struct Bell {
    /// Nobody has rung since the store was last looked at. Starts unset: nothing is known yet.
    quiet: bool,
    cancel: Vec<TaskId>,
    held: Option<Held>,
    /// The node enrolled anew or was shut out: nothing is held here any more.
    closed: bool,
    /// How often the line had arrived somewhere when it last came here.
    arrivals: u64,
    /// Another hub may know more of the line: the next wait is not judged by memory alone.
    doubted: bool,
}

#[derive(Debug)]
struct Held {
    room: u32,
    wake: oneshot::Sender<Wake>,
}

/// Why a held wait is woken.
#[derive(Debug)]
pub(crate) enum Wake {
    /// A task was written as claimed; here it is.
    HandOver {
        /// The delivery's number.
        number: u64,
        /// What it carries.
        tasks: Vec<HandedTask>,
    },
    /// Something may be there: look.
    Look,
    /// A newer wait has taken the place.
    GiveWay,
}

/// The right to hand out on one line, until dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    state: OwnedMutexGuard<State>,
}

impl Turn {
    /// What is known of the line.
    pub(crate) fn line(&self) -> Option<deliveries::Line> {
        self.state.line
    }

    /// Whether memory is enough to judge a wait.
    pub(crate) fn follows(&self, ask: Ask) -> bool {
        self.state.line.is_some_and(|line| arrivals::follows(line, ask))
    }

    /// Takes over what the store knows of the line. `alone`: no other hub can have it.
    pub(crate) fn learn(&mut self, kept: Kept, alone: bool) -> deliveries::Line {
        let line = arrivals::learn(self.state.line, kept, alone);
        *self.state.line.insert(line)
    }

    /// A wait was heard, and the line is now so. If the wait was in order it is the newest from now on.
    pub(crate) fn heard(&mut self, line: deliveries::Line, in_order: bool) {
        self.state.line = Some(line);
        self.state.newest += u64::from(in_order);
    }

    /// Which wait is the newest.
    pub(crate) fn newest(&self) -> u64 {
        self.state.newest
    }

    /// Takes the next delivery number. It counts as handed out from now on, whatever becomes of the
    /// answer: an agent that did not get it will say so with its next wait.
    pub(crate) fn take_number(&mut self) -> u64 {
        let line = self.state.line.get_or_insert_default();
        line.delivered += 1;
        line.delivered
    }

    /// Gives the number last taken back: nothing was written under it.
    pub(crate) fn give_number_back(&mut self) {
        if let Some(line) = &mut self.state.line {
            line.delivered -= 1;
        }
    }
}

/// A held wait that was taken to hand it a task. The line's turn goes with it.
#[derive(Debug)]
pub(crate) struct Reservation {
    line: Arc<Line>,
    turn: Turn,
    wake: oneshot::Sender<Wake>,
    /// How many tasks the agent can take.
    pub(crate) room: u32,
    /// The number of the delivery.
    pub(crate) number: u64,
    /// What the agent has acknowledged.
    pub(crate) acknowledged: u64,
    /// How often the line had arrived somewhere when it came here.
    pub(crate) arrivals: u64,
}

impl Reservation {
    /// The tasks are written: hand them over. If the wait has ended meanwhile, the agent's next one
    /// will not have acknowledged them, and they are handed out again.
    pub(crate) fn hand_over(self, tasks: Vec<HandedTask>) {
        let _ = self.wake.send(Wake::HandOver { number: self.number, tasks });
    }

    /// It is not known whether it was written. The number stays taken and the wait ends: with its next one
    /// the agent does not acknowledge the number, and is handed what was written under it, if anything was.
    pub(crate) fn leave_open(self) {
        let _ = self.wake.send(Wake::GiveWay);
    }

    /// The line has gone to another hub: nothing is handed out here until a wait has brought it back.
    pub(crate) fn has_gone(self) {
        self.line.doubt();
        self.leave_open();
    }

    /// Nothing was written: the wait goes on.
    pub(crate) fn release(mut self) {
        self.turn.give_number_back();
        self.line.ring();
        let _ = self.wake.send(Wake::Look);
    }
}

impl Line {
    /// Waits for the right to hand out.
    pub(crate) async fn turn(&self) -> Turn {
        Turn { state: Arc::clone(&self.turn).lock_owned().await }
    }

    /// Forgets the bells before looking at the store: those that ring from now on count.
    /// Returns whether there is anything to look for.
    pub(crate) fn begin_look(&self) -> bool {
        let mut bell = self.bell();
        !std::mem::replace(&mut bell.quiet, true)
    }

    /// The look found as much as was asked for, or could not be finished: there may be more.
    pub(crate) fn look_again_later(&self) {
        self.bell().quiet = false;
    }

    /// Takes the tasks that should be stopped.
    pub(crate) fn take_cancels(&self) -> Vec<TaskId> {
        std::mem::take(&mut self.bell().cancel)
    }

    /// Holds a wait with room for so many tasks, unless a bell has rung since the look began.
    /// An older wait gives way.
    pub(crate) fn hold(&self, room: u32) -> Option<oneshot::Receiver<Wake>> {
        let mut bell = self.bell();
        if let Some(older) = bell.held.take() {
            let _ = older.wake.send(Wake::GiveWay);
        }
        if bell.closed {
            let (wake, woken) = oneshot::channel();
            let _ = wake.send(Wake::GiveWay);
            return Some(woken);
        }
        let rung = (!bell.quiet && room > 0) || !bell.cancel.is_empty();
        if rung {
            return None;
        }
        let (wake, woken) = oneshot::channel();
        bell.held = Some(Held { room, wake });
        Some(woken)
    }

    /// Rings: the store may hold something for this node.
    pub(crate) fn ring(&self) {
        let mut bell = self.bell();
        bell.quiet = false;
        // A wait without room has nothing to look for.
        if let Some(held) = bell.held.take_if(|held| held.room > 0) {
            let _ = held.wake.send(Wake::Look);
        }
    }

    /// Rings for a task that should be stopped.
    pub(crate) fn ring_cancel(&self, task: TaskId) {
        let mut bell = self.bell();
        if !bell.cancel.contains(&task) {
            bell.cancel.push(task);
        }
        if let Some(held) = bell.held.take() {
            let _ = held.wake.send(Wake::Look);
        }
    }

    /// Ends the held wait, so that the next one follows with what is news to everybody.
    pub(crate) fn end_wait(&self) {
        if let Some(held) = self.bell().held.take() {
            let _ = held.wake.send(Wake::GiveWay);
        }
    }

    /// The line came to this hub.
    pub(crate) fn arrived(&self, arrivals: u64) {
        self.bell().arrivals = arrivals;
    }

    /// Another hub rings: the line came there. What was held here before is nobody's any more.
    pub(crate) fn came_elsewhere(&self, arrivals: u64) {
        if self.bell().arrivals < arrivals {
            self.doubt();
        }
    }

    /// Another hub may know more of the line: the held wait ends, and the next one is not judged by memory alone.
    pub(crate) fn doubt(&self) {
        let mut bell = self.bell();
        bell.doubted = true;
        if let Some(held) = bell.held.take() {
            let _ = held.wake.send(Wake::GiveWay);
        }
    }

    /// The same for the next wait; one that is held may stay.
    pub(crate) fn doubt_memory(&self) {
        self.bell().doubted = true;
    }

    /// Whether there is doubt; there is none any more until the next bell.
    pub(crate) fn take_doubt(&self) -> bool {
        std::mem::take(&mut self.bell().doubted)
    }

    /// Ends the held wait, if there is one, and each that comes to be held here later.
    pub(crate) fn close(&self) {
        let mut bell = self.bell();
        bell.closed = true;
        if let Some(held) = bell.held.take() {
            let _ = held.wake.send(Wake::GiveWay);
        }
    }

    /// Whether a wait is held and its asker still there.
    pub(crate) fn is_held(&self) -> bool {
        self.bell().held.as_ref().is_some_and(|held| !held.wake.is_closed())
    }

    /// Takes the held wait, if it has room and nothing older is waiting in the store.
    pub(crate) fn reserve(line: &Arc<Line>) -> Option<Reservation> {
        let mut bell = line.bell();
        let usable = bell.quiet && bell.held.as_ref().is_some_and(|held| held.room > 0 && !held.wake.is_closed());
        if !usable {
            return None;
        }
        let state = Arc::clone(&line.turn).try_lock_owned().ok()?;
        let Held { room, wake } = bell.held.take()?;
        drop(bell);
        let mut turn = Turn { state };
        let number = turn.take_number();
        let (acknowledged, arrivals) = turn.line().map_or((0, 0), |known| (known.acknowledged, known.arrivals));
        Some(Reservation { line: Arc::clone(line), turn, wake, room, number, acknowledged, arrivals })
    }

    fn bell(&self) -> MutexGuard<'_, Bell> {
        self.bell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;
    use uuid::Uuid;

    fn task(n: u128) -> TaskId {
        Id::from_uuid(Uuid::from_u128(n))
    }
    fn quiet_line() -> Arc<Line> {
        let line = Arc::new(Line::default());
        assert!(line.begin_look(), "nothing is known at first");
        line
    }

    #[test]
    fn a_bell_that_rings_during_a_look_is_not_lost() {
        let line = quiet_line();
        line.ring();
        assert!(line.hold(1).is_none(), "the wait must look again");
        assert!(line.begin_look());
        assert!(line.hold(1).is_some());
    }

    #[test]
    fn a_held_wait_is_woken_by_a_bell_and_gives_way_to_a_newer_one() {
        let line = quiet_line();
        let mut first = line.hold(1).unwrap();
        let mut second = line.hold(1).unwrap();
        assert!(matches!(first.try_recv(), Ok(Wake::GiveWay)));
        line.ring();
        assert!(matches!(second.try_recv(), Ok(Wake::Look)));
    }

    #[test]
    fn a_line_that_was_closed_holds_nothing_any_more() {
        let line = quiet_line();
        let mut held = line.hold(1).unwrap();
        line.close();
        assert!(matches!(held.try_recv(), Ok(Wake::GiveWay)));
        // This one was on its way when the line was closed.
        assert!(matches!(line.hold(1).unwrap().try_recv(), Ok(Wake::GiveWay)));
        assert!(Line::reserve(&line).is_none());
    }

    #[test]
    fn a_wait_without_room_hears_of_cancels_only() {
        let line = quiet_line();
        let mut wait = line.hold(0).unwrap();
        line.ring();
        assert!(wait.try_recv().is_err());
        line.ring_cancel(task(1));
        assert!(matches!(wait.try_recv(), Ok(Wake::Look)));
        assert_eq!(line.take_cancels(), vec![task(1)]);
    }

    #[test]
    fn a_wait_gives_way_when_its_line_came_to_another_hub_later_than_here() {
        let line = quiet_line();
        line.arrived(4);
        let mut wait = line.hold(1).unwrap();
        for older in [3, 4] {
            line.came_elsewhere(older);
        }
        assert!(wait.try_recv().is_err() && !line.take_doubt(), "those bells are of before");
        line.came_elsewhere(5);
        assert!(matches!(wait.try_recv(), Ok(Wake::GiveWay)));
        assert!(line.take_doubt() && !line.take_doubt());
    }

    #[test]
    fn a_hand_over_that_finds_its_line_gone_ends_the_wait_and_keeps_its_number() {
        let line = quiet_line();
        let mut wait = line.hold(1).unwrap();
        Line::reserve(&line).unwrap().has_gone();
        assert!(matches!(wait.try_recv(), Ok(Wake::GiveWay)));
        assert!(line.take_doubt());
        let _again = line.hold(1).unwrap();
        assert_eq!(Line::reserve(&line).unwrap().number, 2, "it may have been given elsewhere");
    }

    #[test]
    fn a_reservation_needs_a_held_wait_with_room_and_a_quiet_line() {
        let line = quiet_line();
        assert!(Line::reserve(&line).is_none());
        let _no_room = line.hold(0);
        assert!(Line::reserve(&line).is_none());
        let gone = line.hold(2);
        drop(gone);
        assert!(Line::reserve(&line).is_none(), "its asker has gone");
        let mut wait = line.hold(2).unwrap();
        let reservation = Line::reserve(&line).unwrap();
        assert_eq!((reservation.room, reservation.number), (2, 1));
        assert!(Line::reserve(&line).is_none(), "one hand-over at a time");
        reservation.hand_over(Vec::new());
        assert!(matches!(wait.try_recv(), Ok(Wake::HandOver { number: 1, .. })));
    }

    #[test]
    fn a_released_reservation_takes_no_number_and_makes_the_wait_look() {
        let line = quiet_line();
        let mut wait = line.hold(1).unwrap();
        Line::reserve(&line).unwrap().release();
        assert!(matches!(wait.try_recv(), Ok(Wake::Look)));
        assert!(line.begin_look());
        let _again = line.hold(1).unwrap();
        assert_eq!(Line::reserve(&line).unwrap().number, 1);
    }

    #[tokio::test]
    async fn nobody_else_hands_out_while_a_reservation_is_open() {
        let line = quiet_line();
        let _wait = line.hold(1).unwrap();
        let reservation = Line::reserve(&line).unwrap();
        assert!(Arc::clone(&line.turn).try_lock_owned().is_err());
        reservation.hand_over(Vec::new());
        assert_eq!(line.turn().await.line().unwrap().delivered, 1);
    }
}
