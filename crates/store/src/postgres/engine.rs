//! The PostgreSQL engine as a whole: the pool, and how a verb runs on one of its connections.

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use sortie_rules::time::Millis;
use tokio_postgres::NoTls;

use super::address::{self, Address};
use super::bells::bells;
use super::faults::{fault, pool_fault, words};
use super::tls;
use super::transaction::{Begin, Transaction};
use crate::errors::panicked;
use crate::errors::{OpenError, StoreError};
use crate::migrations;
use crate::store::{Bells, BoxFuture};
use crate::tx::Tx;

/// Longest wait for a connection to become free, to be made or to be found alive.
const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(10);

/// Set on each new connection: no statement and no lock is waited for without end, and a hub that
/// hangs in the middle of a transaction does not hold its rows for ever.
const SET_UP: &str = "
    set statement_timeout = '30s';
    set lock_timeout = '10s';
    set idle_in_transaction_session_timeout = '60s';
";

/// Migrations of several hubs that start together go one after the other. The number is arbitrary
/// but must never change, here and in `whole`: it spells `sortie` in ASCII.
const MIGRATION_LOCK: &str = "set local lock_timeout = 0; set local statement_timeout = 0; \
     select pg_advisory_xact_lock(126943972649317)";

/// An open PostgreSQL database.
#[derive(Debug)]
pub(crate) struct Engine {
    pool: Pool,
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
    pub(crate) async fn open(url: &str, connections: usize, now: Millis) -> Result<Engine, OpenError> {
        let address = address::parse(url)?;
        let what = shown(&address);
        let pool = pool(address, connections.max(1))?;
        let unreachable = |why: StoreError| OpenError::Unreachable { what: what.clone(), why: why.to_string() };
        let connection = pool.get().await.map_err(|why| unreachable(pool_fault(&why)))?;
        let mut transaction = Transaction::begin(connection, Begin::Write).await.map_err(unreachable)?;
        transaction.batch(MIGRATION_LOCK).await.map_err(unreachable)?;
        migrations::on_postgres(&mut transaction, now, migrations::newest_known()).await?;
        transaction.commit(&[]).await.map_err(unreachable)?;
        Ok(Engine { pool, url: Url(url.to_owned()) })
    }

    /// Bells to and from the other hubs on this database.
    pub(crate) fn bells(&self) -> Result<Bells, OpenError> {
        bells(&self.url.0)
    }

    pub(crate) async fn write<F, T, E>(&self, verb: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Begin::Write, verb).await
    }

    pub(crate) async fn read<F, T, E>(&self, verb: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(Begin::Read, verb).await
    }

    /// Lets go of all connections; transactions under way end first.
    pub(crate) fn close(&self) {
        self.pool.close();
    }

    /// In a task of its own, so that a caller that stops waiting does not cut a transaction in half.
    async fn run<F, T, E>(&self, begin: Begin, verb: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let pool = self.pool.clone();
        match tokio::spawn(run(pool, begin, verb)).await {
            Ok(outcome) => outcome,
            Err(ended) => Err(E::from(match ended.try_into_panic() {
                Ok(panic) => panicked(&*panic),
                // The runtime is being shut down.
                Err(_) => StoreError::Closed,
            })),
        }
    }
}

async fn run<F, T, E>(pool: Pool, begin: Begin, verb: F) -> Result<T, E>
where
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    E: From<StoreError>,
{
    let connection = pool.get().await.map_err(|why| pool_fault(&why))?;
    let mut tx = Tx::on_postgres(Transaction::begin(connection, begin).await?, matches!(begin, Begin::Write));
    let outcome = verb(&mut tx).await;
    let outcome = match (outcome, tx.take_failure()) {
        (Ok(_), Some(overlooked)) => Err(E::from(overlooked)),
        (outcome, _) => outcome,
    };
    let entries = tx.take_entries();
    let transaction = tx.into_postgres();
    let ended = match &outcome {
        Ok(_) => transaction.commit(&entries).await,
        Err(_) => transaction.roll_back().await,
    };
    let value = outcome?;
    ended?;
    Ok(value)
}

pub(super) fn pool(address: Address, connections: usize) -> Result<Pool, OpenError> {
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = if address.tls {
        Manager::from_config(address.config, tls::connector(address.trusted.as_deref())?, config)
    } else {
        Manager::from_config(address.config, NoTls, config)
    };
    let wait = Some(CONNECTION_WAIT_MAX);
    let set_up = Hook::async_fn(|client, _| {
        Box::pin(async move {
            let done = client.batch_execute(SET_UP).await;
            done.map_err(|why| HookError::message(fault(&why).to_string()))
        })
    });
    let built = Pool::builder(manager)
        .max_size(connections)
        .timeouts(Timeouts { wait, create: wait, recycle: wait })
        .runtime(Runtime::Tokio1)
        .post_create(set_up)
        .build();
    built.map_err(|why| OpenError::Location { why: words(&why) })
}

/// The server as it may be shown: without user and password.
pub(super) fn shown(address: &Address) -> String {
    let hosts: Vec<_> = address.config.get_hosts().iter().map(|host| format!("{host:?}")).collect();
    format!("database {} at {}", address.config.get_dbname().unwrap_or("(default)"), hosts.join(", "))
}
