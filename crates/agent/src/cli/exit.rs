//! Which exit code means what.

use std::process::{ExitCode, Termination};

use sortie_client::ClientError;

use crate::agent::AgentError;
use crate::enroll::EnrollError;
use crate::hub::HubError;
use crate::operations::NotSet;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AgentExit {
    /// Well.
    Success = 0,
    /// Something failed that has no code of its own.
    Failure = 1,
    /// Command line, settings, policy or data folder are not as they should be.
    Usage = 2,
    /// The hub refused.
    Refused = 3,
    /// The hub cannot be reached, or is not believed.
    Unreachable = 4,
}

impl AgentExit {
    /// What became of an enrolment.
    pub fn of_enrollment(error: &EnrollError) -> AgentExit {
        match error {
            EnrollError::Hub(error) => AgentExit::of_call(error),
            EnrollError::Operators(error) => AgentExit::of_operators(error),
            EnrollError::AlreadyEnrolled { .. }
            | EnrollError::Folder(_)
            | EnrollError::Identity(_)
            | EnrollError::Policy(_)
            | EnrollError::File(_)
            | EnrollError::Setup(_) => AgentExit::Usage,
        }
    }

    /// Why an agent did not run, or stopped by itself.
    pub fn of_agent(error: &AgentError) -> AgentExit {
        match error {
            AgentError::Hub(HubError::Call(error)) => AgentExit::of_call(error),
            AgentError::Ledger(_) | AgentError::Fault(_) => AgentExit::Failure,
            AgentError::Hub(_) | AgentError::Folder(_) | AgentError::Identity(_) | AgentError::File(_) => {
                AgentExit::Usage
            }
        }
    }

    /// Why a site's operators are as they were.
    pub fn of_operators(error: &NotSet) -> AgentExit {
        match error {
            NotSet::Hub(HubError::Call(error)) => AgentExit::of_call(error),
            NotSet::Hub(_)
            | NotSet::NotTaken(_)
            | NotSet::Awaited(_)
            | NotSet::NotPublished(_)
            | NotSet::Unusable(_)
            | NotSet::NoFolder(_)
            | NotSet::Identity(_) => AgentExit::Usage,
        }
    }

    fn of_call(error: &ClientError) -> AgentExit {
        match error {
            ClientError::Problem { .. } => AgentExit::Refused,
            ClientError::Unreachable { .. }
            | ClientError::Tls { .. }
            | ClientError::NotSortie { .. }
            | ClientError::Unproven { .. } => AgentExit::Unreachable,
            ClientError::TooLarge { .. } | ClientError::Unwritable(_) => AgentExit::Failure,
        }
    }
}

impl From<AgentExit> for ExitCode {
    fn from(exit: AgentExit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

impl Termination for AgentExit {
    fn report(self) -> ExitCode {
        self.into()
    }
}
