//! The shape of a handler.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Code;
use tokio_util::sync::CancellationToken;

use crate::logs::TaskLog;
use crate::policy::Policy;

/// Does the work of one task type. It must not block the thread it is polled on for longer than a
/// moment: heartbeats would starve beside it.
pub trait Handler: Send + Sync + 'static {
    /// Does the work once.
    fn run(&self, work: Work) -> HandlerFuture;
}

/// A handler at work.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<Output, Failure>> + Send>>;

/// Handlers by the names of their types.
pub(crate) type Handlers = BTreeMap<String, Arc<dyn Handler>>;

/// One run of a task, as its handler gets it.
pub struct Work {
    /// Which task.
    pub task: TaskId,
    /// Which run of it.
    pub run: u32,
    /// The newest claim of it when the run began.
    pub attempt: u32,
    /// Its type.
    pub type_name: String,
    /// What was submitted. The hub has checked it against its own schema; see [`Work::read`].
    pub payload: Box<RawValue>,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    /// Whether a run of it may be repeated.
    pub idempotent: bool,
    /// Where it says what it does.
    pub log: TaskLog,
    /// What the site allows.
    pub policy: Arc<Policy>,
    /// Rings when someone cancels the task or the agent stops. A handler that hears it ends with
    /// [`Failure::Cancelled`]; one that does not is let finish.
    pub stop: CancellationToken,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({} of type {}, run {})", self.task, self.type_name, self.run)
    }
}

impl Work {
    /// The payload as a `T`; what does not fit is refused, whatever the hub has checked.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(self.payload.get()).map_err(|error| Failure::Rejected {
            code: Code::new(Code::BAD_PAYLOAD),
            message: format!("the payload does not fit {}: {error}", self.type_name),
        })
    }
}

/// What a handler gives: JSON.
#[derive(Debug, Clone)]
pub struct Output(Box<RawValue>);

impl Output {
    /// This value as JSON.
    pub fn of(value: &impl Serialize) -> Result<Output, Failure> {
        serde_json::value::to_raw_value(value).map(Output).map_err(|error| Failure::Failed {
            code: Code::new(Code::HANDLER_FAILED),
            message: format!("the result cannot be written as JSON: {error}"),
            retry: false,
        })
    }

    /// JSON that is written already.
    pub fn json(raw: Box<RawValue>) -> Output {
        Output(raw)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.get().len()
    }

    pub(crate) fn into_raw(self) -> Box<RawValue> {
        self.0
    }
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The work failed.
    Failed {
        /// A stable word of the handler's, 1 to 64 of `a-z`, `0-9` and `_`.
        code: Code,
        /// A sentence for people.
        message: String,
        /// Whether another try makes sense.
        retry: bool,
    },
    /// The payload asks for what cannot be or may not be.
    Rejected {
        /// A stable word.
        code: Code,
        /// A sentence for people.
        message: String,
    },
    /// It was told to stop, and did.
    Cancelled,
}

impl Failure {
    /// The work failed, with a code of the handler's.
    pub fn failed(code: &str, message: impl Into<String>, retry: bool) -> Failure {
        Failure::Failed { code: Code::new(code), message: message.into(), retry }
    }

    /// The site's policy forbids what the payload asks for.
    pub fn forbidden(message: impl Into<String>) -> Failure {
        Failure::Rejected { code: Code::new(Code::FORBIDDEN_BY_POLICY), message: message.into() }
    }
}

/// A closure as a handler.
pub(crate) struct Closure<F>(pub(crate) F);

impl<F, Fut> Handler for Closure<F>
where
    F: Fn(Work) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Output, Failure>> + Send + 'static,
{
    fn run(&self, work: Work) -> HandlerFuture {
        Box::pin((self.0)(work))
    }
}
