//! The line between the hub and one node: which wait is in order, what must be handed out again,
//! and when two agents share one identity.
//!
//! Deliveries that carry tasks are numbered per enrolment. Each wait of the agent acknowledges the
//! highest number that is on its disk; what the hub handed out above it was lost on the way and is
//! handed out again, same task, same attempt.

use crate::ids::BootId;
use crate::limits::HELD_UP_WAITS_MAX;

/// What the hub remembers of one node's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Line {
    /// The newest start of the agent that has spoken, with its highest sequence number.
    pub boot: Option<(BootId, u64)>,
    /// An older start that has spoken after it.
    pub older: Option<Older>,
    /// The highest delivery that the agent has acknowledged.
    pub acknowledged: u64,
    /// The highest delivery that was handed out.
    pub delivered: u64,
    /// How often the line had arrived somewhere when this hub learned of it ([`arrivals`](crate::arrivals)).
    pub arrivals: u64,
    /// Whether this hub has the line, as far as it knows.
    pub is_here: bool,
}

/// A start of an agent that has spoken after a newer one: either some of its waits were held up on their way,
/// or it is alive beside the newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Older {
    /// Which start.
    pub boot: BootId,
    /// Its highest sequence number.
    pub seq: u64,
    /// How many of its waits have come.
    pub waits: u8,
}

/// What an agent says with each wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Which start of the agent is asking.
    pub boot: BootId,
    /// Rises by one with each wait of this start, from 1.
    pub seq: u64,
    /// The highest delivery on the agent's disk.
    pub ack: u64,
}

/// What a wait means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// In order. The line is now so; if `redeliver`, deliveries above the acknowledgement were lost
    /// on the way; if `restored`, the agent knows more than the hub, which must have been restored
    /// from a backup.
    InOrder {
        /// The line after this wait.
        line: Line,
        /// Tasks handed out above the acknowledgement must be handed out again.
        redeliver: bool,
        /// The hub was restored from a backup: every result should be sent again.
        restored: bool,
    },
    /// An older request that was held up on the way. It is refused; the line is now so.
    Late {
        /// The line after this wait.
        line: Line,
    },
    /// Two agents share this identity, or the agent's disk was restored from a copy.
    Forked,
}

/// Decides what a wait means for the line. The ids of an agent's starts rise, so an older start is told from a
/// newer one.
pub fn hear(line: Line, ask: Ask) -> Heard {
    match line.boot {
        Some((boot, _)) if ask.boot < boot => return hear_older(line, ask),
        Some((boot, seq)) if ask.boot == boot && ask.seq <= seq => return Heard::Late { line },
        _ => {}
    }
    // The disk was restored from a copy, or this wait was held up while the hub forgot which had come.
    if ask.ack < line.acknowledged {
        return hear_older(line, ask);
    }
    let restored = ask.ack > line.delivered;
    let delivered = line.delivered.max(ask.ack);
    let next = Line {
        boot: Some((ask.boot, ask.seq)),
        // Kept over newer starts: a copy that begins anew each time would else never be noticed.
        older: line.older,
        acknowledged: ask.ack,
        delivered,
        ..line
    };
    Heard::InOrder { line: next, redeliver: ask.ack < delivered, restored }
}

/// A start that has ended, or a hub that has forgotten, can have left a few waits on their way. Who goes on
/// speaking out of order is alive.
fn hear_older(line: Line, ask: Ask) -> Heard {
    let waits = match line.older {
        Some(older) if older.boot == ask.boot && ask.seq <= older.seq => return Heard::Late { line },
        Some(older) if older.boot == ask.boot => older.waits.saturating_add(1),
        _ => 1,
    };
    if waits > HELD_UP_WAITS_MAX {
        return Heard::Forked;
    }
    Heard::Late { line: Line { older: Some(Older { boot: ask.boot, seq: ask.seq, waits }), ..line } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use uuid::Uuid;

    fn boot(n: u128) -> BootId {
        Id::from_uuid(Uuid::from_u128(n))
    }
    fn ask(boot_number: u128, seq: u64, ack: u64) -> Ask {
        Ask { boot: boot(boot_number), seq, ack }
    }
    fn line_after(asks: &[Ask], delivered: u64) -> Line {
        asks.iter().fold(Line { delivered, ..Line::default() }, |line, ask| match hear(line, *ask) {
            Heard::InOrder { line, .. } => line,
            other => panic!("{ask:?}: {other:?}"),
        })
    }

    #[test]
    fn what_was_not_acknowledged_is_handed_out_again() {
        let line = line_after(&[ask(1, 1, 0)], 3);
        assert!(matches!(hear(line, ask(1, 2, 2)), Heard::InOrder { redeliver: true, .. }));
        assert!(matches!(hear(line, ask(1, 2, 3)), Heard::InOrder { redeliver: false, restored: false, .. }));
    }

    #[test]
    fn a_held_up_request_is_late_whether_its_boot_is_the_last_or_the_one_before() {
        let line = line_after(&[ask(1, 1, 0), ask(1, 2, 0), ask(2, 1, 0)], 0);
        assert!(matches!(hear(line, ask(1, 2, 0)), Heard::Late { .. }));
        assert!(matches!(hear(line, ask(2, 1, 0)), Heard::Late { .. }));
    }

    #[test]
    fn a_start_whose_first_wait_was_held_up_does_not_take_the_line_from_the_newer_one() {
        let line = line_after(&[ask(2, 1, 0)], 0);
        let Heard::Late { line } = hear(line, ask(1, 1, 0)) else { panic!("it is late") };
        assert!(matches!(hear(line, ask(2, 2, 0)), Heard::InOrder { .. }), "the newer one goes on");
    }

    #[test]
    fn two_starts_that_both_go_on_speaking_share_an_identity() {
        let mut line = line_after(&[ask(1, 1, 0), ask(2, 1, 0)], 0);
        for seq in 2..=u64::from(HELD_UP_WAITS_MAX) + 1 {
            for _twice in 0..2 {
                let Heard::Late { line: next } = hear(line, ask(1, seq, 0)) else { panic!("{seq} may be held up") };
                line = next;
            }
            let Heard::InOrder { line: next, .. } = hear(line, ask(2, seq, 0)) else { panic!("in order") };
            line = next;
        }
        assert_eq!(hear(line, ask(1, 9, 0)), Heard::Forked);
        assert_eq!(hear(line, ask(1, 10, 0)), Heard::Forked, "and stays so");
        assert!(matches!(hear(line, ask(3, 1, 0)), Heard::InOrder { .. }), "until it is started again");
    }

    #[test]
    fn a_copy_that_begins_anew_with_each_wait_is_noticed_by_the_start_that_goes_on_speaking() {
        let mut line = line_after(&[ask(1, 1, 0)], 0);
        for turn in 2..=u64::from(HELD_UP_WAITS_MAX) + 1 {
            let Heard::InOrder { line: next, .. } = hear(line, ask(turn.into(), 1, 0)) else { panic!("in order") };
            let Heard::Late { line: next } = hear(next, ask(1, turn, 0)) else { panic!("{turn} may be held up") };
            line = next;
        }
        assert_eq!(hear(line, ask(1, 9, 0)), Heard::Forked);
    }

    #[test]
    fn acknowledgements_that_go_back_and_stay_there_are_those_of_a_copied_disk() {
        let line = line_after(&[ask(1, 1, 5)], 5);
        for boot in [1, 2] {
            let mut line = line;
            for seq in 2..=u64::from(HELD_UP_WAITS_MAX) + 1 {
                let Heard::Late { line: next } = hear(line, ask(boot, seq, 4)) else { panic!("{seq} may be held up") };
                line = next;
            }
            assert_eq!(hear(line, ask(boot, 9, 4)), Heard::Forked);
        }
        assert!(matches!(hear(line, ask(1, 2, 5)), Heard::InOrder { .. }), "the one with the right disk goes on");
    }

    #[test]
    fn a_wait_that_was_held_up_until_the_hub_had_forgotten_does_not_shut_the_node_out() {
        let forgot = Line { acknowledged: 1, delivered: 2, ..Line::default() };
        let Heard::Late { line } = hear(forgot, ask(1, 1, 0)) else { panic!("it is late") };
        assert!(matches!(hear(line, ask(1, 3, 2)), Heard::InOrder { .. }));
    }

    #[test]
    fn an_acknowledgement_ahead_of_the_hub_means_that_the_hub_was_restored() {
        let Heard::InOrder { line, redeliver, restored } = hear(Line { delivered: 2, ..Line::default() }, ask(1, 1, 9))
        else {
            panic!("in order");
        };
        assert!(restored && !redeliver);
        assert_eq!((line.acknowledged, line.delivered), (9, 9));
    }
}
