//! The parts of an org's summary: who may see which, and which events change what was counted in them.

use crate::access::{Permission, Permissions};

/// A part of a summary. Each is counted, and kept in memory, by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// How many nodes are there, and how many are not.
    Nodes,
    /// How many tasks stand where.
    Tasks,
    /// The jobs that are not over.
    Jobs,
    /// How many operations wait for signatures.
    Operations,
    /// How far NATS is behind.
    Outbox,
}

impl Part {
    /// Every part.
    pub const ALL: [Part; 5] = [Part::Nodes, Part::Tasks, Part::Jobs, Part::Operations, Part::Outbox];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Part::Nodes => "nodes",
            Part::Tasks => "tasks",
            Part::Jobs => "jobs",
            Part::Operations => "operations",
            Part::Outbox => "outbox",
        }
    }

    /// Whether somebody who may do this sees it. What is the hub's and no org's is for its own org alone.
    pub fn is_seen_with(self, permissions: Permissions, in_the_hubs_own_org: bool) -> bool {
        match self {
            Part::Nodes => permissions.contain(Permission::NodesRead),
            Part::Tasks => permissions.contain(Permission::TasksRead),
            Part::Jobs => permissions.contain(Permission::JobsRead),
            Part::Operations => permissions.contain(Permission::OperationsRead),
            Part::Outbox => in_the_hubs_own_org && permissions.contain(Permission::EventsRead),
        }
    }
}

/// What an event changes of what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touched {
    /// These parts of its org's summary.
    OfItsOrg(&'static [Part]),
    /// These parts of every org's.
    OfAllOrgs(&'static [Part]),
}

/// What an event of this kind changes of what was counted. What no event tells of, such as a task that was handed out,
/// is seen when the life of what was counted is over.
pub fn touched(kind: &str) -> Touched {
    let noun = kind.split_once('.').map_or(kind, |(noun, _)| noun);
    match noun {
        "node" => Touched::OfItsOrg(&[Part::Nodes]),
        // How a job fares is told by its tasks.
        "task" => Touched::OfItsOrg(&[Part::Tasks, Part::Jobs]),
        "job" => Touched::OfItsOrg(&[Part::Jobs]),
        "operation" => Touched::OfItsOrg(&[Part::Operations]),
        // A rotation is the hub's, and every org's nodes have to follow it.
        "keys" => Touched::OfAllOrgs(&[Part::Nodes]),
        // A restored hub knows nothing of what was counted before.
        "hub" => Touched::OfAllOrgs(&Part::ALL),
        _ => Touched::OfItsOrg(&[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Role, permissions_of};

    #[test]
    fn each_part_is_seen_with_the_permission_to_read_what_it_counts() {
        let with = |permission| Permissions::of(&[permission]);
        for (part, permission) in [
            (Part::Nodes, Permission::NodesRead),
            (Part::Tasks, Permission::TasksRead),
            (Part::Jobs, Permission::JobsRead),
            (Part::Operations, Permission::OperationsRead),
            (Part::Outbox, Permission::EventsRead),
        ] {
            assert!(part.is_seen_with(with(permission), true), "{}", part.as_str());
            assert!(!part.is_seen_with(Permissions::ALL.without(with(permission)), true), "{}", part.as_str());
        }
        let viewer = permissions_of(Role::Viewer, None, false);
        let seen: Vec<Part> = Part::ALL.into_iter().filter(|part| part.is_seen_with(viewer, false)).collect();
        assert_eq!(seen, [Part::Nodes, Part::Tasks, Part::Jobs, Part::Operations], "the outbox is the hub's own");
    }

    #[test]
    fn an_event_touches_the_parts_that_count_what_it_tells_of() {
        assert_eq!(touched("node.down"), Touched::OfItsOrg(&[Part::Nodes]));
        assert_eq!(touched("task.completed"), Touched::OfItsOrg(&[Part::Tasks, Part::Jobs]));
        assert_eq!(touched("job.paused"), Touched::OfItsOrg(&[Part::Jobs]));
        assert_eq!(touched("operation.signed"), Touched::OfItsOrg(&[Part::Operations]));
        assert_eq!(touched("keys.rotated"), Touched::OfAllOrgs(&[Part::Nodes]));
        assert_eq!(touched("hub.restored"), Touched::OfAllOrgs(&Part::ALL));
        for other in ["setting.changed", "operators.published", "token.revoked", "nodes", ""] {
            assert_eq!(touched(other), Touched::OfItsOrg(&[]), "{other}");
        }
    }
}
