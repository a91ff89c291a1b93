//! What a task is at one moment, reduced to what decisions need.

use serde::{Deserialize, Serialize};

use super::outcome::Code;
use crate::time::{Millis, Span};

/// A task as its transitions see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Task {
    /// Where it stands.
    pub state: State,
    /// Rises with every claim; fences older claims. 0 before the first.
    pub attempt: u32,
    /// Rises when the work is to be done again. 1 from the start.
    pub run: u32,
    /// How often it went back to the queue after an error or a lapsed lease.
    pub retries: u32,
    /// How often it may.
    pub retries_max: u32,
    /// How long a claim lasts without renewal.
    pub lease: Span,
    /// After this it is not begun any more.
    pub not_after: Option<Millis>,
}

/// Where a task stands, with the data that only exists there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum State {
    /// In the queue.
    Pending {
        /// Not handed out before this.
        not_before: Option<Millis>,
    },
    /// Handed out to its node.
    InProgress {
        /// When the claim ends unless it is renewed.
        lease_until: Millis,
        /// Someone asked to cancel it; the agent is told.
        cancel_asked: bool,
    },
    /// Done.
    Completed,
    /// It did not work.
    Failed {
        /// Why.
        code: Code,
        /// Whose word that is.
        by: EndedBy,
    },
    /// The agent refused it.
    Rejected {
        /// Why.
        code: Code,
    },
    /// It was called off.
    Cancelled {
        /// Whose word that is.
        by: EndedBy,
    },
    /// Its time passed.
    Expired,
}

/// Whose word an end is. The agent's stands; the hub's yields to a late result, since the work was
/// done and nobody should be asked to do it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndedBy {
    /// The agent reported it.
    Agent,
    /// The hub gave up waiting, or was told to.
    Hub,
}

/// The bare word for a state: what lists filter by and people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In the queue.
    Pending,
    /// Handed out to its node.
    InProgress,
    /// Done.
    Completed,
    /// It did not work.
    Failed,
    /// The agent refused it.
    Rejected,
    /// It was called off.
    Cancelled,
    /// Its time passed before it was begun.
    Expired,
}

impl Status {
    /// All of them, in the order of a task's life.
    pub const ALL: [Status; 7] = [
        Status::Pending,
        Status::InProgress,
        Status::Completed,
        Status::Failed,
        Status::Rejected,
        Status::Cancelled,
        Status::Expired,
    ];

    /// The word in tables, routes and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::InProgress => "in_progress",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Rejected => "rejected",
            Status::Cancelled => "cancelled",
            Status::Expired => "expired",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether a task in this state has ended.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Status::Pending | Status::InProgress)
    }
}

impl State {
    /// The bare word.
    pub const fn status(&self) -> Status {
        match self {
            State::Pending { .. } => Status::Pending,
            State::InProgress { .. } => Status::InProgress,
            State::Completed => Status::Completed,
            State::Failed { .. } => Status::Failed,
            State::Rejected { .. } => Status::Rejected,
            State::Cancelled { .. } => Status::Cancelled,
            State::Expired => Status::Expired,
        }
    }
}

impl Task {
    /// A task as it is when it is submitted.
    pub const fn submitted(
        retries_max: u32,
        lease: Span,
        not_before: Option<Millis>,
        not_after: Option<Millis>,
    ) -> Task {
        Task { state: State::Pending { not_before }, attempt: 0, run: 1, retries: 0, retries_max, lease, not_after }
    }

    /// Whether the end that stands is the hub's word, which a late result may replace.
    pub(super) const fn ended_by_hub(&self) -> bool {
        matches!(
            self.state,
            State::Expired | State::Failed { by: EndedBy::Hub, .. } | State::Cancelled { by: EndedBy::Hub }
        )
    }
}
