//! The first connection: waiting for a server that is still away, and migrating.

use std::pin::pin;
use std::time::Duration;

use sortie_rules::time::Millis;

use super::address::{self, Address};
use super::connections::Connections;
use super::faults::{Kind, Trouble, may_pass, pool_fault};
use super::limits::ServerLimits;
use super::transaction::{Begin, Transaction};
use crate::errors::{OpenError, StoreError};
use crate::migrations;

/// How long between two tries, at first and at most.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// A migration takes as long as it takes.
pub(super) const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Migrations of several hubs that start together go one after the other. The number is arbitrary
/// but must never change: it spells `sortie` in ASCII.
const MIGRATION_LOCK: &str = "set local lock_timeout = 0; set local statement_timeout = 0; \
     select pg_advisory_xact_lock(126943972649317)";

/// A try that did not succeed, and whether time alone may mend it.
struct Failed {
    error: OpenError,
    may_pass: bool,
}

/// Connects and migrates. A server that is away is waited for as long as the limits say; that is said once.
/// What waiting does not mend is an error at once.
pub(super) async fn open(url: &str, many: usize, limits: ServerLimits, now: Millis) -> Result<Connections, OpenError> {
    let address = address::parse(url)?;
    let what = shown(&address);
    let connections = Connections::to(address, many, limits)?;
    let mut over = pin!(tokio::time::sleep(limits.start_wait.to_std()));
    let (mut pause, mut said) = (PAUSE, false);
    loop {
        let failed = match migrate(&connections, &what, now).await {
            Ok(()) if said => {
                tracing::info!(%what, "The database is there");
                return Ok(connections);
            }
            Ok(()) => return Ok(connections),
            Err(failed) => failed,
        };
        if !failed.may_pass || limits.start_wait.0 == 0 {
            return Err(failed.error);
        }
        if !said {
            let wait_s = limits.start_wait.0 / 1000;
            tracing::warn!(why = %failed.error, wait_s, "The database is away; the hub waits for it before it starts");
        }
        said = true;
        tokio::select! {
            biased;
            () = &mut over => return Err(failed.error),
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn migrate(connections: &Connections, what: &str, now: Millis) -> Result<(), Failed> {
    let unreachable = |why: StoreError| OpenError::Unreachable { what: what.to_owned(), why: why.to_string() };
    let connection = connections
        .try_get()
        .await
        .map_err(|why| Failed { error: unreachable(pool_fault(&why)), may_pass: may_pass(&why) })?;
    let mut transaction = Transaction::begin(connection, Begin::Write, FOR_EVER)
        .await
        .map_err(|Trouble { error, .. }| Failed { error: unreachable(error), may_pass: true })?;
    let locked = transaction.batch(MIGRATION_LOCK).await.map_err(unreachable);
    let migrated = match locked {
        Ok(()) => migrations::on_postgres(&mut transaction, now, migrations::newest_known()).await,
        Err(error) => Err(error),
    };
    match migrated {
        Ok(()) => {
            let committed = transaction.commit(&[]).await;
            // Steps that were kept all the same are not taken again.
            committed.map_err(|uncommitted| Failed { error: unreachable(uncommitted.error), may_pass: true })
        }
        Err(error) => {
            let passing = [Kind::Lost, Kind::Contended, Kind::ReadOnly];
            let may_pass = transaction.trouble().is_some_and(|kind| passing.contains(&kind));
            transaction.roll_back().await;
            Err(Failed { error, may_pass })
        }
    }
}

/// The server as it may be shown: without user and password.
pub(super) fn shown(address: &Address) -> String {
    let hosts: Vec<_> = address.config.get_hosts().iter().map(|host| format!("{host:?}")).collect();
    format!("database {} at {}", address.config.get_dbname().unwrap_or("(default)"), hosts.join(", "))
}
