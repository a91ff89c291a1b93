//! How a node's line goes from hub to hub. Each hub judges waits by what it has in memory, and while an agent stays at
//! one hub nothing has to be written for that. What hubs on one database must know of one another is kept beside the
//! numbers of the deliveries: how often the line has arrived somewhere, at another hub or with another start of its
//! agent, and with which wait it did so last. Who brought it there has it, and a delivery is numbered only by the hub
//! that has it still. Bells tell the others sooner; one that is lost only delays.

use crate::deliveries::{Ask, Line};
use crate::ids::BootId;

/// What the store keeps of a node's line, for every hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Kept {
    /// How often it has arrived somewhere, and was begun anew.
    pub arrivals: u64,
    /// The start of the agent that arrived last, and the number of its first wait there.
    pub boot: Option<(BootId, u64)>,
    /// The highest delivery that the agent had acknowledged when that was last written.
    pub acknowledged: u64,
    /// The highest delivery that was handed out.
    pub delivered: u64,
}

/// Whether a wait comes right after the one before, at a hub that has the line: then nobody else can have heard the
/// agent in between, and nothing need be read.
pub fn follows(line: Line, ask: Ask) -> bool {
    line.is_here && ask.seq.checked_sub(1).is_some_and(|before| line.boot == Some((ask.boot, before)))
}

/// What a hub knows of a line when it has read what is kept. `alone`: no other hub can have it.
pub fn learn(memory: Option<Line>, kept: Kept, alone: bool) -> Line {
    let here = memory.filter(|line| line.is_here && line.arrivals == kept.arrivals);
    if let Some(line) = here {
        // Nobody else has had it, so memory is ahead; what was written in doubt stands all the same.
        return Line { delivered: line.delivered.max(kept.delivered), ..line };
    }
    let memory = memory.filter(|_| kept.boot.is_some());
    // Of one start, the latest wait that was heard at either.
    let boot = match (kept.boot, memory.and_then(|line| line.boot)) {
        (Some((boot, seq)), Some((same, heard))) if same == boot => Some((boot, seq.max(heard))),
        (boot, _) => boot,
    };
    Line {
        boot,
        older: memory.and_then(|line| line.older),
        acknowledged: kept.acknowledged,
        delivered: kept.delivered,
        arrivals: kept.arrivals,
        is_here: alone,
    }
}

/// The line after a wait in order, if that brings it here or is the first of another start: the others must learn of
/// it before the wait is held. `None` if it is here, and known to be.
pub fn arrive(line: Line, kept: Kept) -> Option<Line> {
    let start = |boot: Option<(BootId, u64)>| boot.map(|(boot, _)| boot);
    let is_known = line.is_here && start(line.boot) == start(kept.boot);
    (!is_known).then(|| Line { arrivals: kept.arrivals + 1, is_here: true, ..line })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliveries::{Heard, hear};
    use crate::ids::Id;
    use crate::limits::HELD_UP_WAITS_MAX;
    use uuid::Uuid;

    fn boot(n: u128) -> BootId {
        Id::from_uuid(Uuid::from_u128(n))
    }
    fn ask(boot_number: u128, seq: u64, ack: u64) -> Ask {
        Ask { boot: boot(boot_number), seq, ack }
    }

    /// Two hubs, and what is kept between them.
    #[derive(Default)]
    struct Hubs {
        memory: [Option<Line>; 2],
        kept: Kept,
        reads: u32,
        writes: u32,
    }

    impl Hubs {
        fn wait(&mut self, at: usize, ask: Ask) -> Heard {
            let known = self.memory[at].filter(|line| follows(*line, ask));
            let line = known.unwrap_or_else(|| {
                self.reads += 1;
                learn(self.memory[at], self.kept, false)
            });
            let mut heard = hear(line, ask);
            match &mut heard {
                Heard::InOrder { line, .. } => {
                    if let Some(arrived) = arrive(*line, self.kept).filter(|_| known.is_none()) {
                        let Line { arrivals, boot, acknowledged, delivered, .. } = arrived;
                        (self.kept, *line) = (Kept { arrivals, boot, acknowledged, delivered }, arrived);
                        self.writes += 1;
                    }
                    self.memory[at] = Some(*line);
                }
                Heard::Late { line } => self.memory[at] = Some(*line),
                Heard::Forked => {}
            }
            heard
        }
        fn in_order(&mut self, at: usize, ask: Ask) -> (bool, bool) {
            match self.wait(at, ask) {
                Heard::InOrder { redeliver, restored, .. } => (redeliver, restored),
                other => panic!("{ask:?}: {other:?}"),
            }
        }
        /// Numbers a delivery, if this hub has the line.
        fn hands_out(&mut self, at: usize) -> bool {
            let Some(line) = &mut self.memory[at] else { return false };
            let has_it = line.arrivals == self.kept.arrivals && line.delivered + 1 > self.kept.delivered;
            if has_it {
                line.delivered += 1;
                (self.kept.delivered, self.kept.acknowledged) = (line.delivered, line.acknowledged);
            }
            has_it
        }
    }

    #[test]
    fn an_agent_that_stays_at_a_hub_is_read_and_written_once() {
        let mut hubs = Hubs::default();
        for seq in 1..100 {
            assert_eq!(hubs.in_order(0, ask(1, seq, 0)), (false, false));
        }
        assert_eq!((hubs.reads, hubs.writes), (1, 1));
        // A wait that was lost on its way makes the hub look, and write nothing.
        hubs.in_order(0, ask(1, 101, 0));
        assert_eq!((hubs.reads, hubs.writes), (2, 1));
        // Another start is told to all.
        hubs.in_order(0, ask(2, 1, 0));
        assert_eq!((hubs.reads, hubs.writes, hubs.kept.boot), (3, 2, Some((boot(2), 1))));
    }

    #[test]
    fn what_one_hub_lost_on_the_way_the_other_hands_out_again() {
        let mut hubs = Hubs::default();
        hubs.in_order(0, ask(1, 1, 0));
        assert!(hubs.hands_out(0));
        hubs.in_order(0, ask(1, 2, 1));
        assert_eq!(hubs.in_order(1, ask(1, 3, 1)), (false, false));
        assert!(hubs.hands_out(1), "the answer is lost");
        assert!(!hubs.hands_out(0), "who has lost the line hands nothing out");
        assert_eq!(hubs.in_order(0, ask(1, 4, 1)), (true, false), "it comes again");
    }

    #[test]
    fn acknowledgements_that_were_made_at_another_hub_do_not_look_like_a_restored_hub() {
        let mut hubs = Hubs::default();
        hubs.in_order(0, ask(1, 1, 0));
        hubs.in_order(1, ask(1, 2, 0));
        for seq in 3..6 {
            assert!(hubs.hands_out(1));
            hubs.in_order(1, ask(1, seq, seq - 2));
        }
        assert_eq!(hubs.in_order(0, ask(1, 6, 3)), (false, false));
        assert_eq!(hubs.in_order(1, ask(1, 7, 9)), (false, true), "and one that was restored is noticed");
    }

    #[test]
    fn a_copy_at_another_hub_is_noticed_by_the_start_that_goes_on_speaking() {
        let mut hubs = Hubs::default();
        hubs.in_order(0, ask(1, 1, 0));
        hubs.in_order(1, ask(2, 1, 0));
        // The bell, or a task for either, makes the other hub look.
        hubs.memory[0] = hubs.memory[0].map(|line| Line { is_here: false, ..line });
        for seq in 2..=u64::from(HELD_UP_WAITS_MAX) + 1 {
            assert!(matches!(hubs.wait(0, ask(1, seq, 0)), Heard::Late { .. }), "{seq} may be held up");
            hubs.in_order(1, ask(2, seq, 0));
        }
        assert_eq!(hubs.wait(0, ask(1, 9, 0)), Heard::Forked);
    }

    #[test]
    fn a_wait_that_is_late_does_not_bring_the_line_to_the_hub_that_heard_it() {
        let mut hubs = Hubs::default();
        hubs.in_order(0, ask(1, 3, 0));
        assert!(matches!(hubs.wait(1, ask(1, 2, 0)), Heard::Late { .. }));
        let kept = hubs.kept;
        // Though the next wait follows on what is kept, it is at another hub than that one.
        hubs.in_order(1, ask(1, 4, 0));
        assert_eq!(hubs.kept.arrivals, kept.arrivals + 1);
        assert!(!hubs.hands_out(0));
    }

    #[test]
    fn a_line_that_was_begun_anew_elsewhere_leaves_nothing_of_the_one_before() {
        let mut hubs = Hubs::default();
        hubs.in_order(0, ask(5, 1, 0));
        assert!(hubs.hands_out(0));
        hubs.in_order(0, ask(5, 2, 1));
        // As a new key for the node does.
        hubs.kept = Kept { arrivals: hubs.kept.arrivals + 1, ..Kept::default() };
        assert!(!hubs.hands_out(0), "the ousted agent gets nothing");
        assert_eq!(hubs.in_order(0, ask(3, 1, 0)), (false, false), "and the new one is in order");
    }

    #[test]
    fn what_was_written_in_doubt_is_not_numbered_again() {
        let here = Line { is_here: true, arrivals: 1, delivered: 4, ..Line::default() };
        let kept = Kept { arrivals: 1, delivered: 5, ..Kept::default() };
        assert_eq!(learn(Some(here), kept, false).delivered, 5);
        assert_eq!(learn(Some(here), Kept { delivered: 3, ..kept }, false).delivered, 4);
    }

    #[test]
    fn a_hub_that_is_alone_has_every_line() {
        assert!(learn(None, Kept::default(), true).is_here);
        assert!(!learn(None, Kept::default(), false).is_here);
    }
}
