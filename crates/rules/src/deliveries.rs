//! The line between the hub and one node: which wait is in order, what must be handed out again,
//! and when two agents share one identity.
//!
//! Deliveries that carry tasks are numbered per enrolment. Each wait of the agent acknowledges the
//! highest number that is on its disk; what the hub handed out above it was lost on the way and is
//! handed out again, same task, same attempt.

use crate::ids::BootId;

/// What the hub remembers of one node's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Line {
    /// The agent's start that spoke last, with its highest sequence number.
    pub boot: Option<(BootId, u64)>,
    /// The start that spoke before that one, with its highest sequence number.
    pub boot_before: Option<(BootId, u64)>,
    /// The highest delivery that the agent has acknowledged.
    pub acknowledged: u64,
    /// The highest delivery that was handed out.
    pub delivered: u64,
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
    /// An older request that was held up on the way. It is refused and nothing changes.
    Late,
    /// Two agents share this identity, or the agent's disk was restored from a copy.
    Forked,
}

/// Decides what a wait means for the line.
pub fn hear(line: Line, ask: Ask) -> Heard {
    let same_boot = line.boot.filter(|(boot, _)| *boot == ask.boot);
    let boot_before = line.boot_before.filter(|(boot, _)| *boot == ask.boot);
    if same_boot.or(boot_before).is_some_and(|(_, seq)| ask.seq <= seq) {
        return Heard::Late;
    }
    // A start that speaks again after a newer one has spoken is alive beside it.
    if boot_before.is_some() || ask.ack < line.acknowledged {
        return Heard::Forked;
    }
    let restored = ask.ack > line.delivered;
    let delivered = line.delivered.max(ask.ack);
    let next = Line {
        boot: Some((ask.boot, ask.seq)),
        boot_before: if same_boot.is_some() { line.boot_before } else { line.boot },
        acknowledged: ask.ack,
        delivered,
    };
    Heard::InOrder { line: next, redeliver: ask.ack < delivered, restored }
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
        assert_eq!(hear(line, ask(1, 2, 0)), Heard::Late);
        assert_eq!(hear(line, ask(2, 1, 0)), Heard::Late);
    }

    #[test]
    fn two_boots_that_take_turns_share_an_identity() {
        let line = line_after(&[ask(1, 1, 0), ask(2, 1, 0)], 0);
        assert_eq!(hear(line, ask(1, 2, 0)), Heard::Forked);
    }

    #[test]
    fn an_acknowledgement_that_goes_back_is_a_copied_disk() {
        let line = line_after(&[ask(1, 1, 5)], 5);
        assert_eq!(hear(line, ask(1, 2, 4)), Heard::Forked);
        assert_eq!(hear(line, ask(2, 1, 4)), Heard::Forked);
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
