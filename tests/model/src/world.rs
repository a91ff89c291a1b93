//! The state: what is on either disk, what either memory holds, what is on its way, and what was seen.

use std::collections::{BTreeMap, BTreeSet};

use sortie_rules::arrivals::Kept;
use sortie_rules::deliveries::Line;
use sortie_rules::ids::{BootId, Id, NodeId};
use sortie_rules::ledger::Stage;
use sortie_rules::tasks::Task;
use sortie_rules::time::{Millis, Span};
use uuid::Uuid;

use crate::plan::Plan;

/// Which task.
pub(crate) type TaskNo = usize;
/// Which run of which task.
pub(crate) type Run = (TaskNo, u32);

/// A task as it is handed out: which, its run and its attempt.
pub(crate) type Handed = (TaskNo, u32, u32);
/// When everything happens.
pub(crate) const NOW: Millis = Millis(1_800_000_000_000);
/// When every wait before a retry is over.
pub(crate) const RESTED: Millis = Millis(NOW.0 + 86_400_000);
/// When every lease has ended.
pub(crate) const LATE: Millis = Millis(RESTED.0 + 86_400_000);
/// How long a lease lasts.
const LEASE: Span = Span::seconds(60);

/// How a run ended, as the agent tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// The work is done.
    Completed,
    /// It failed, and another try makes sense.
    Failed,
    /// A crash cut it.
    Interrupted,
    /// It was stopped because somebody wanted that.
    Cancelled,
}

/// What is on its way, or was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// The agent waits.
    Wait {
        /// Which start of it.
        boot: u8,
        /// Which wait of that start.
        seq: u64,
        /// What is on its disk.
        ack: u64,
    },
    /// The hub answers a wait.
    Delivery {
        /// Which start is answered.
        boot: u8,
        /// Which wait.
        seq: u64,
        /// The delivery's number.
        number: u64,
        /// Task, run and attempt of each.
        tasks: Vec<(TaskNo, u32, u32)>,
        /// What is to be stopped.
        cancel: Vec<TaskNo>,
    },
    /// The agent says how a run ended.
    Result {
        /// Which run.
        run: Run,
        /// The newest attempt that the agent saw.
        attempt: u32,
        /// How.
        ending: Ending,
    },
    /// The hub's last word on a result.
    Receipt {
        /// Of which run.
        run: Run,
    },
    /// The hub answers a heartbeat: these are not held under these attempts, those are to be stopped.
    Pulse {
        /// Which heartbeat.
        beat: u8,
        /// Not held.
        not_held: Vec<(TaskNo, u32)>,
        /// To be stopped.
        cancel: Vec<TaskNo>,
    },
}

/// A task at the hub.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct HubTask {
    pub(crate) life: Task,
    /// The delivery in which it was handed out last.
    pub(crate) delivery: u64,
    /// The agent's result that stands.
    pub(crate) recorded: Option<(u32, Ending)>,
}

/// The hub, or the hubs on one database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Hub {
    /// On disk.
    pub(crate) tasks: Vec<HubTask>,
    /// On disk: what is kept of the line.
    pub(crate) kept: Kept,
    /// What each hub has in memory.
    pub(crate) memories: Vec<Memory>,
}

/// What one hub has in memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Memory {
    pub(crate) line: Option<Line>,
    /// The wait that is held.
    pub(crate) held: Option<(u8, u64)>,
    /// What the next answer says shall be stopped.
    pub(crate) cancels: BTreeSet<TaskNo>,
}

/// A run in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) stage: Stage,
    pub(crate) attempt: u32,
    pub(crate) ending: Option<Ending>,
}

/// The agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Agent {
    /// On disk.
    pub(crate) acknowledged_on_disk: u64,
    /// On disk.
    pub(crate) runs: BTreeMap<Run, Row>,
    /// In memory.
    pub(crate) boot: u8,
    /// In memory.
    pub(crate) seq: u64,
    /// In memory: what the next wait acknowledges.
    pub(crate) acknowledged: u64,
    /// In memory: the wait that is open, and what it acknowledged.
    pub(crate) open: Option<(u64, u64)>,
    /// In memory: runs under way, and whether their effect has happened.
    pub(crate) running: BTreeMap<Run, bool>,
    /// In memory: the heartbeat whose answer has not come.
    pub(crate) beat: Option<u8>,
    /// In memory, of an agent that acknowledges too soon: what is not on disk yet.
    pub(crate) unwritten: Option<(u64, Vec<Handed>)>,
}

/// What is left of everything that a plan allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) waits: u8,
    pub(crate) agent_crashes: u8,
    pub(crate) hub_crashes: u8,
    pub(crate) failures: u8,
    pub(crate) cancels: u8,
    pub(crate) requeues: u8,
    pub(crate) beats: u8,
    pub(crate) forgotten: u8,
}

/// What a bystander who sees everything has noted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Seen {
    /// Effects of work that may not be repeated; more than one is too many.
    pub(crate) effects: BTreeMap<Run, u8>,
    /// Runs that somebody wanted cancelled.
    pub(crate) cancel_asked: BTreeSet<Run>,
    /// An end of the agent's was replaced by another.
    pub(crate) second_end: bool,
    /// A result replaced that of a newer run.
    pub(crate) older_run_won: bool,
    /// A run was stopped that nobody wanted stopped.
    pub(crate) stopped_unasked: bool,
    /// The hub took the agent for a copy, or itself for one.
    pub(crate) mistaken: bool,
    /// The agent refused a delivery.
    pub(crate) refused: bool,
    /// A lease lapsed, and the same run was answered from the ledger.
    pub(crate) answered_again: bool,
    /// Runs that the ledger forgot after their receipt.
    pub(crate) forgotten: BTreeSet<Run>,
    /// A result came after the hub had given up.
    pub(crate) late_result: bool,
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub(crate) hub: Hub,
    pub(crate) agent: Agent,
    pub(crate) net: BTreeSet<Message>,
    pub(crate) left: Left,
    pub(crate) seen: Seen,
}

impl World {
    /// How everything begins: tasks are submitted, an agent has enrolled, nobody has spoken.
    pub(crate) fn begin(plan: &Plan) -> World {
        let task = |_| HubTask { life: Task::submitted(plan.retries, LEASE, None, None), delivery: 0, recorded: None };
        World {
            hub: Hub {
                tasks: plan.idempotent.iter().map(task).collect(),
                kept: Kept::default(),
                memories: vec![Memory::default(); plan.hubs],
            },
            agent: Agent {
                acknowledged_on_disk: 0,
                runs: BTreeMap::new(),
                boot: 1,
                seq: 0,
                acknowledged: 0,
                open: None,
                running: BTreeMap::new(),
                beat: None,
                unwritten: None,
            },
            net: BTreeSet::new(),
            left: Left {
                waits: plan.waits,
                agent_crashes: plan.agent_crashes,
                hub_crashes: plan.hub_crashes,
                failures: plan.failures,
                cancels: plan.cancels,
                requeues: plan.requeues,
                beats: plan.beats,
                forgotten: plan.forgotten,
            },
            seen: Seen::default(),
        }
    }
}

/// The id of a start.
pub(crate) fn boot_id(boot: u8) -> BootId {
    Id::from_uuid(Uuid::from_u128(boot.into()))
}

/// The one node.
pub(crate) fn node_id() -> NodeId {
    Id::from_uuid(Uuid::from_u128(1))
}
