//! The pool: as many connections as the hub may hold, made when they are needed.

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::NoTls;

use super::address::Address;
use super::faults::{is_crowded, pool_fault, words};
use super::limits::ServerLimits;
use super::tls;
use crate::errors::{OpenError, StoreError};

/// How long to wait before another try where the server has no room for one more, at first and at most.
const CROWDED_PAUSE: Duration = Duration::from_millis(20);
const CROWDED_PAUSE_MAX: Duration = Duration::from_millis(500);

/// The connections to one server.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    pool: Pool,
    limits: ServerLimits,
}

impl Connections {
    /// A pool of up to so many. None is made yet.
    ///
    /// A connection that sleeps in the pool is not asked whether it lives before it is used, which would cost
    /// every transaction a way to the server and back. One that is known to be dead is thrown away; one that
    /// died unnoticed shows it at `begin`, and then all that slept beside it are given up.
    pub(super) fn to(address: Address, many: usize, limits: ServerLimits) -> Result<Connections, OpenError> {
        let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = if address.tls {
            Manager::from_config(address.config, tls::connector(address.trusted.as_deref())?, config)
        } else {
            Manager::from_config(address.config, NoTls, config)
        };
        let wait = Some(limits.connection_wait.to_std());
        let told = limits.set_up();
        let set_up = Hook::async_fn(move |client, _| {
            let told = told.clone();
            Box::pin(async move { client.batch_execute(&told).await.map_err(HookError::Backend) })
        });
        let built = Pool::builder(manager)
            .max_size(many.max(1))
            .timeouts(Timeouts { wait, create: wait, recycle: wait })
            .runtime(Runtime::Tokio1)
            .post_create(set_up)
            .build();
        Ok(Connections { pool: built.map_err(|why| OpenError::Location { why: words(&why) })?, limits })
    }

    /// The limits that hold for all of them.
    pub(super) fn limits(&self) -> &ServerLimits {
        &self.limits
    }

    /// A connection, as soon as one is free or can be made. A server that has no room for one more is asked
    /// again for a while: what the hub holds already becomes free in the meantime.
    pub(super) async fn get(&self) -> Result<Object, StoreError> {
        let mut crowded = None;
        let got = tokio::time::timeout(self.limits.connection_wait.to_std(), async {
            let mut pause = CROWDED_PAUSE;
            loop {
                match self.pool.get().await {
                    Err(why) if is_crowded(&why) => crowded = Some(pool_fault(&why)),
                    got => return got.map_err(|why| pool_fault(&why)),
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(CROWDED_PAUSE_MAX);
            }
        });
        match got.await {
            Ok(got) => got,
            Err(_) => {
                let no_room = || StoreError::Unavailable { why: "no connection became free in time".to_owned() };
                Err(crowded.unwrap_or_else(no_room))
            }
        }
    }

    /// A connection, or the pool's own reason why there is none.
    pub(super) async fn try_get(&self) -> Result<Object, deadpool_postgres::PoolError> {
        self.pool.get().await
    }

    /// Gives up all that sleep: one of them was found dead.
    pub(super) fn forget_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    /// Makes and gives out none any more.
    pub(super) fn close(&self) {
        self.pool.close();
    }
}
