//! How much of everything there is.

/// How much of everything there is in a model.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The tasks, all submitted at the beginning: whether each may be repeated.
    pub idempotent: Vec<bool>,
    /// Hubs on one database; each wait comes to whichever of them.
    pub hubs: usize,
    /// Waits that the agent may send.
    pub waits: u8,
    /// Crashes of the agent.
    pub agent_crashes: u8,
    /// Crashes of the hub.
    pub hub_crashes: u8,
    /// Retries of each task: lapses and failures together.
    pub retries: u32,
    /// Runs that may fail and ask for another.
    pub failures: u8,
    /// Wishes to cancel.
    pub cancels: u8,
    /// Requeues by a person.
    pub requeues: u8,
    /// Heartbeats.
    pub beats: u8,
    /// Runs that the ledger forgets after their receipt.
    pub forgotten: u8,
    /// The rule that is broken on purpose.
    pub broken: Broken,
}

/// A rule that the model breaks on purpose, to show that it would find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// None.
    Nothing,
    /// The agent takes a delivery whichever wait it answers.
    AnswersUnread,
    /// The agent takes a delivery however long it was under way.
    ExpiryUnread,
    /// The agent begins work that may not be repeated before that is on its disk.
    StartUnwritten,
    /// The agent acknowledges a delivery before it is on its disk.
    AcknowledgedUnwritten,
    /// A hub that has heard the agent once does not read what other hubs know of it.
    LineUnread,
    /// A hub tells an agent that comes back to it of what was to be stopped when it was there last.
    WishesKept,
    /// The hub does not look which run a result is of.
    RunUnread,
    /// The agent does not take up after a crash what it had accepted.
    RecoveryForgotten,
}

impl Plan {
    /// One task of each sort and a little of everything: small enough to be looked through in seconds.
    pub fn small() -> Plan {
        Plan {
            idempotent: vec![false, true],
            hubs: 1,
            waits: 3,
            agent_crashes: 1,
            hub_crashes: 1,
            retries: 1,
            failures: 0,
            cancels: 0,
            requeues: 0,
            beats: 0,
            forgotten: 0,
            broken: Broken::Nothing,
        }
    }

    /// The same with this rule broken.
    pub fn with(self, broken: Broken) -> Plan {
        Plan { broken, ..self }
    }
}
