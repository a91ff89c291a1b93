//! Transactions for a whole database: one that reads it as of one moment, one that fills an empty one.

use deadpool_postgres::Object;

use super::address;
use super::connections::Connections;
use super::faults::{Trouble, trouble};
use super::limits::ServerLimits;
use super::opening::{FOR_EVER, shown};
use super::transaction::{Begin, Transaction};
use crate::dialect::{OTHERS_CONNECTED, TABLES_OF_POSTGRES};
use crate::errors::{OpenError, StoreError};
use crate::tx::Tx;
use crate::whole::settle;

/// It may last for hours, and whoever takes what is read may be slow.
const UNHURRIED: &str = "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0;";
/// For the life of the connection: as long as it is held, a hub that starts waits.
const KEEP_HUBS_OUT: &str = "select pg_advisory_lock(126943972649317)";
/// The same to the end of the transaction. The number is that of `MIGRATION_LOCK`.
const KEEP_HUBS_OUT_OF_IT: &str = "select pg_advisory_xact_lock(126943972649317)";

/// The database as of this moment. If `still`, nobody else uses it, no hub can start on it meanwhile, and what
/// waited for numbers has them.
pub(crate) async fn snapshot(url: &str, still: bool) -> Result<Transaction, OpenError> {
    let (pool, what) = one(url)?;
    let unreachable = |why: StoreError| OpenError::Unreachable { what: what.clone(), why: why.to_string() };
    let connection = pool.get().await.map_err(unreachable)?;
    run(&connection, UNHURRIED).await.map_err(unreachable)?;
    if !still {
        return begin(connection, Begin::Read).await.map_err(unreachable);
    }
    run(&connection, KEEP_HUBS_OUT).await.map_err(unreachable)?;
    let mut tx = Tx::on_postgres(begin(connection, Begin::Write).await.map_err(unreachable)?, true);
    let others = tx.query_one_or_none(OTHERS_CONNECTED, &[]).await.map_err(unreachable)?;
    let others = others.map_or(Ok(0), |row| row.columns("pg_stat_activity").int("count")).map_err(unreachable)?;
    if others > 0 {
        return Err(OpenError::InUse { what, others });
    }
    settle(&mut tx).await.map_err(unreachable)?;
    tx.into_postgres().commit(&[]).await.map_err(|uncommitted| unreachable(uncommitted.error))?;
    // The pool has one connection: this is the same, and it has the lock.
    let connection = pool.get().await.map_err(unreachable)?;
    begin(connection, Begin::Read).await.map_err(unreachable)
}

/// A transaction that writes, on a database without a table, where no hub can start meanwhile.
pub(crate) async fn empty(url: &str) -> Result<Transaction, OpenError> {
    let (pool, what) = one(url)?;
    let unreachable = |why: StoreError| OpenError::Unreachable { what: what.clone(), why: why.to_string() };
    let connection = pool.get().await.map_err(unreachable)?;
    run(&connection, UNHURRIED).await.map_err(unreachable)?;
    let mut transaction = begin(connection, Begin::Write).await.map_err(unreachable)?;
    transaction.batch(KEEP_HUBS_OUT_OF_IT).await.map_err(unreachable)?;
    let tables = transaction.query(TABLES_OF_POSTGRES, &[]).await.map_err(unreachable)?;
    match tables.len() {
        0 => Ok(transaction),
        count => Err(OpenError::NotEmpty { what, found: format!("it holds {count} tables") }),
    }
}

/// A pool of one connection, and what is shown of the address.
fn one(url: &str) -> Result<(Connections, String), OpenError> {
    let address = address::parse(url)?;
    let what = shown(&address);
    Ok((Connections::to(address, 1, ServerLimits::default())?, what))
}

async fn begin(connection: Object, begin: Begin) -> Result<Transaction, StoreError> {
    Transaction::begin(connection, begin, FOR_EVER).await.map_err(|Trouble { error, .. }| error)
}

async fn run(connection: &Object, sql: &str) -> Result<(), StoreError> {
    connection.batch_execute(sql).await.map_err(|why| trouble(&why).error)
}
