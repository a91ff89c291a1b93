//! Why a verb did not do what it was asked: a problem to answer with, or trouble underneath.

use sortie_rules::time::Span;
use sortie_store::StoreError;
use sortie_wire::problem::{Problem, ProblemCode};

/// What a verb ends with when it does not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Fault {
    /// The caller is told; nothing is wrong with the hub.
    #[error(transparent)]
    Problem(#[from] Box<Problem>),
    /// The caller is told to come back, and when that makes sense.
    #[error("{problem}")]
    Later {
        /// What is told.
        problem: Box<Problem>,
        /// How long to wait.
        wait: Span,
    },
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A promise inside the hub was broken.
    #[error("{0}")]
    Broken(String),
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Fault {
        Fault::Problem(Box::new(problem))
    }
}

/// A problem as a fault.
pub(crate) fn refuse(code: ProblemCode, detail: impl Into<String>) -> Fault {
    Problem::new(code, detail).into()
}

/// A problem that points at a field, as a fault.
pub(crate) fn refuse_at(code: ProblemCode, pointer: impl Into<String>, detail: impl Into<String>) -> Fault {
    Problem::new(code, detail).at(pointer).into()
}

/// A problem that is over after so long, as a fault.
pub(crate) fn refuse_for(wait: Span, code: ProblemCode, detail: impl Into<String>) -> Fault {
    Fault::Later { problem: Box::new(Problem::new(code, detail)), wait }
}

impl Fault {
    /// How long the caller should wait before another try, where that is known.
    pub(crate) fn wait(&self) -> Option<Span> {
        match self {
            Fault::Later { wait, .. } => Some(*wait),
            Fault::Problem(_) | Fault::Store(_) | Fault::Broken(_) => None,
        }
    }

    /// What the caller is answered. What went wrong inside stays inside.
    pub(crate) fn to_problem(&self) -> Problem {
        match self {
            Fault::Problem(problem) | Fault::Later { problem, .. } => (**problem).clone(),
            Fault::Store(StoreError::Full { .. }) => {
                Problem::new(ProblemCode::StorageFull, "The hub's disk is full; nothing of this request was kept.")
            }
            Fault::Store(StoreError::Closed) => {
                Problem::new(ProblemCode::Stopping, "The hub is stopping; nothing of this request was kept. Try again.")
            }
            Fault::Store(StoreError::Unavailable { .. }) => Problem::new(
                ProblemCode::StorageUnavailable,
                "The hub cannot reach its database; nothing of this request was kept. Try again in a moment.",
            ),
            Fault::Store(StoreError::Unknown { .. }) => Problem::new(
                ProblemCode::OutcomeUnknown,
                "The hub lost its database at the moment when it kept this request: it was kept, or nothing of it was. \
                 Repeat it with the same Idempotency-Key, or look first whether it was done.",
            ),
            Fault::Store(StoreError::Unique { .. }) => {
                Problem::new(ProblemCode::Conflict, "The change met another one; read again and repeat.")
            }
            Fault::Store(_) | Fault::Broken(_) => {
                Problem::new(ProblemCode::Internal, "The hub has a fault; its log says more under this correlation id.")
            }
        }
    }

    /// Whether it may have been done all the same.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Fault::Store(StoreError::Unknown { .. }))
    }

    /// Whether the hub's operator should look at this.
    pub(crate) fn is_ours(&self) -> bool {
        match self {
            Fault::Problem(problem) | Fault::Later { problem, .. } => problem.status >= 500,
            Fault::Store(StoreError::Unique { .. } | StoreError::Closed) => false,
            Fault::Store(_) | Fault::Broken(_) => true,
        }
    }
}
