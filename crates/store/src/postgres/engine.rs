//! The PostgreSQL engine as a whole: how a verb runs on one of its connections, and when it runs again.

use std::time::Duration;

use sortie_rules::limits::DATABASE_TRIES_MAX;
use sortie_rules::time::Millis;

use super::bells::bells;
use super::connections::Connections;
use super::faults::Kind;
use super::limits::ServerLimits;
use super::opening;
use super::transaction::{Begin, Transaction, Uncommitted};
use crate::errors::panicked;
use crate::errors::{OpenError, StoreError};
use crate::store::{Bells, BoxFuture};
use crate::tx::Tx;

/// An open PostgreSQL database.
#[derive(Debug)]
pub(crate) struct Engine {
    connections: Connections,
    url: Url,
}

/// Where the database is, with its password: not for logs.
struct Url(String);

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Url(withheld)")
    }
}

impl Engine {
    /// Connects and migrates.
    pub(crate) async fn open(url: &str, many: usize, limits: ServerLimits, now: Millis) -> Result<Engine, OpenError> {
        let connections = opening::open(url, many, limits, now).await?;
        Ok(Engine { connections, url: Url(url.to_owned()) })
    }

    /// Bells to and from the other hubs on this database, on a connection that holds this lock.
    pub(crate) fn bells(&self, lock: Option<i64>) -> Result<Bells, OpenError> {
        bells(&self.url.0, lock)
    }

    pub(crate) async fn write<F, T, E>(&self, verb: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Clone + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Begin::Write, verb).await
    }

    pub(crate) async fn read<F, T, E>(&self, verb: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Clone + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Begin::Read, verb).await
    }

    /// Lets go of all connections; transactions under way end first.
    pub(crate) fn close(&self) {
        self.connections.close();
    }

    /// In a task of its own, so that a caller that stops waiting does not cut a transaction in half.
    async fn run<F, T, E>(&self, begin: Begin, verb: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Clone + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let connections = self.connections.clone();
        match tokio::spawn(run(connections, begin, verb)).await {
            Ok(outcome) => outcome,
            Err(ended) => Err(E::from(match ended.try_into_panic() {
                Ok(panic) => panicked(&*panic),
                // The runtime is being shut down.
                Err(_) => StoreError::Closed,
            })),
        }
    }
}

/// The one place where a verb is run again: when its transaction has ended without a trace, because the
/// connection was lost before anybody asked for the commit, or because the server undid it in favour of
/// others. A write that may have been kept is never run again (decision 0024).
async fn run<F, T, E>(connections: Connections, begin: Begin, verb: F) -> Result<T, E>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Clone,
    E: From<StoreError>,
{
    for _ in 1..DATABASE_TRIES_MAX {
        match attempt(&connections, begin, verb.clone()).await {
            Ok(value) => return Ok(value),
            Err(Failed { undone: Some(Kind::Lost), .. }) => {
                tracing::debug!("A connection to the database was lost; the transaction is tried on another");
                connections.forget_idle();
            }
            Err(Failed { undone: Some(Kind::Contended), .. }) => {
                tracing::debug!("The database undid a transaction in favour of others; it is tried again");
            }
            Err(Failed { error, .. }) => return Err(error),
        }
    }
    attempt(&connections, begin, verb).await.map_err(|failed| failed.error)
}

/// A try that did not succeed.
struct Failed<E> {
    error: E,
    /// What happened to its connection, if that is why, and if it is sure that nothing was kept.
    undone: Option<Kind>,
}

async fn attempt<F, T, E>(connections: &Connections, begin: Begin, verb: F) -> Result<T, Failed<E>>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    E: From<StoreError>,
{
    let connection = connections.get().await.map_err(|error| Failed { error: error.into(), undone: None })?;
    let answer_max: Duration = connections.limits().answer_max();
    let transaction = Transaction::begin(connection, begin, answer_max).await;
    let transaction =
        transaction.map_err(|trouble| Failed { error: trouble.error.into(), undone: Some(trouble.kind) })?;
    let mut tx = Tx::on_postgres(transaction, begin == Begin::Write);
    let outcome = verb(&mut tx).await;
    let outcome = match (outcome, tx.take_failure()) {
        (Ok(_), Some(overlooked)) => Err(E::from(overlooked)),
        (outcome, _) => outcome,
    };
    let entries = tx.take_entries();
    let transaction = tx.into_postgres();
    match outcome {
        Err(error) => {
            let undone = transaction.trouble();
            transaction.roll_back().await;
            Err(Failed { error, undone })
        }
        Ok(value) if begin == Begin::Read => {
            transaction.finish().await;
            Ok(value)
        }
        Ok(value) => match transaction.commit(&entries).await {
            Ok(()) => Ok(value),
            Err(Uncommitted { error, undone }) => Err(Failed { error: error.into(), undone }),
        },
    }
}
