//! A verb on its way through a thread: run once, answered once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tokio::sync::oneshot;

use crate::errors::{StoreError, panicked};
use crate::store::BoxFuture;
use crate::tx::Tx;

/// A verb with its own types hidden, so that one queue takes them all.
pub(super) trait Job: Send {
    /// Runs the verb. Returns whether what it wrote should be kept.
    fn run(&mut self, tx: &mut Tx) -> bool;
    /// Whether it refuses, if at all, before it writes.
    fn is_checked(&self) -> bool;
    /// Tells the caller. `group` is what became of the transaction that the verb was part of.
    fn answer(self: Box<Self>, group: &Result<(), StoreError>);
}

/// Makes a job of a verb. The receiver gets its answer. `is_checked` says that the verb refuses, if at
/// all, before it writes.
pub(super) fn job<F, T, E>(verb: F, is_checked: bool) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Verb { verb: Some(verb), outcome: None, is_checked, reply }), answer)
}

struct Verb<F, T, E> {
    verb: Option<F>,
    outcome: Option<Result<T, E>>,
    is_checked: bool,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Verb<F, T, E>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run(&mut self, tx: &mut Tx) -> bool {
        let verb = self.verb.take().expect("a job is run once");
        // The transaction is rolled back after a panic, and nothing else is shared with the verb.
        let ran = catch_unwind(AssertUnwindSafe(|| finish_at_once(verb(tx))));
        let outcome = ran.unwrap_or_else(|panic| Err(E::from(panicked(&*panic))));
        let outcome = match (outcome, tx.take_failure()) {
            (Ok(_), Some(overlooked)) => Err(E::from(overlooked)),
            (outcome, _) => outcome,
        };
        self.outcome.insert(outcome).is_ok()
    }

    fn is_checked(&self) -> bool {
        self.is_checked
    }

    fn answer(self: Box<Self>, group: &Result<(), StoreError>) {
        let answer = match (self.outcome, group) {
            (Some(Err(refusal)), _) => Err(refusal),
            (_, Err(fault)) => Err(E::from(fault.clone())),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => unreachable!("a group that stands has run all its jobs"),
        };
        // The caller may have gone; what it asked for was done all the same.
        let _ = self.reply.send(answer);
    }
}

/// Runs a future that has nothing to wait for: on SQLite every call of a [`Tx`] returns at once.
pub(super) fn finish_at_once<T>(future: BoxFuture<'_, T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a verb awaited something other than its transaction"),
    }
}
