//! The parts of summaries in memory.

use std::sync::Arc;

use sortie_rules::ids::OrgId;
use sortie_rules::summaries::Part;
use sortie_wire::summary::{JobsUnderWay, NodeNumbers, OperationNumbers, OutboxLag, TaskNumbers};

use crate::read_models::ReadModel;

/// Each part by org.
#[derive(Debug)]
pub(crate) struct Models {
    pub(super) nodes: Arc<ReadModel<NodeNumbers>>,
    pub(super) tasks: Arc<ReadModel<TaskNumbers>>,
    pub(super) jobs: Arc<ReadModel<JobsUnderWay>>,
    pub(super) operations: Arc<ReadModel<OperationNumbers>>,
    pub(super) outbox: Arc<ReadModel<OutboxLag>>,
}

impl Default for Models {
    fn default() -> Models {
        Models {
            nodes: ReadModel::new(Part::Nodes.as_str()),
            tasks: ReadModel::new(Part::Tasks.as_str()),
            jobs: ReadModel::new(Part::Jobs.as_str()),
            operations: ReadModel::new(Part::Operations.as_str()),
            outbox: ReadModel::new(Part::Outbox.as_str()),
        }
    }
}

impl Models {
    /// Takes a part for old, if it was read before this event.
    pub(crate) fn evict(&self, part: Part, org: OrgId, event: u64) {
        match part {
            Part::Nodes => self.nodes.evict(org, event),
            Part::Tasks => self.tasks.evict(org, event),
            Part::Jobs => self.jobs.evict(org, event),
            Part::Operations => self.operations.evict(org, event),
            Part::Outbox => self.outbox.evict(org, event),
        }
    }

    /// The same for every org.
    pub(crate) fn evict_all(&self, part: Part, event: u64) {
        match part {
            Part::Nodes => self.nodes.evict_all(event),
            Part::Tasks => self.tasks.evict_all(event),
            Part::Jobs => self.jobs.evict_all(event),
            Part::Operations => self.operations.evict_all(event),
            Part::Outbox => self.outbox.evict_all(event),
        }
    }

    /// The oldest of the events up to which what is new in memory was read; none if nothing is.
    pub(crate) fn oldest_event(&self) -> Option<u64> {
        let oldest = [
            self.nodes.oldest_event(),
            self.tasks.oldest_event(),
            self.jobs.oldest_event(),
            self.operations.oldest_event(),
            self.outbox.oldest_event(),
        ];
        oldest.into_iter().flatten().min()
    }

    /// The events after `after`, up to `until`, were looked through.
    pub(crate) fn looked_through(&self, after: u64, until: u64) {
        self.nodes.looked_through(after, until);
        self.tasks.looked_through(after, until);
        self.jobs.looked_through(after, until);
        self.operations.looked_through(after, until);
        self.outbox.looked_through(after, until);
    }
}
