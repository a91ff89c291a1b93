//! The store as its callers hold it.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sortie_rules::time::Millis;
use tokio::sync::{mpsc, watch};

use crate::errors::{OpenError, StoreError};
use crate::postgres::ServerLimits;
use crate::tx::Tx;
use crate::{postgres, sqlite};

/// A future on the heap, as verbs return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file, made if it is not there. Its folder must exist.
    Sqlite(PathBuf),
    /// A server: `postgres://user:password@host:port/database?sslmode=require&sslrootcert=FILE`.
    /// Another schema than `public` is chosen with `&options=-c%20search_path%3DNAME`; it must exist.
    Postgres(String),
}

/// What [`Store::open`] needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the database is.
    pub location: Location,
    /// SQLite: how many threads read. PostgreSQL: how many connections are held at most, for reads
    /// and writes together. At least 1.
    pub readers: usize,
    /// The time that migrations are stamped with.
    pub now: Millis,
}

/// All that the hub keeps. Cloning gives another handle to the same database.
#[derive(Debug, Clone)]
pub struct Store {
    engine: Arc<Engine>,
    begun: Arc<Begun>,
}

/// How many verbs were begun through all handles of one database.
#[derive(Debug, Default)]
struct Begun {
    reads: AtomicU64,
    writes: AtomicU64,
}

/// How many verbs were begun since the database was opened, whatever became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verbs {
    /// Those that only read.
    pub reads: u64,
    /// Those that write.
    pub writes: u64,
}

/// Bells to and from the other hubs on a database. A bell hints and promises nothing.
#[derive(Debug)]
pub struct Bells {
    /// Rings at every hub, this one too: at most 7,900 bytes. What cannot be sent is lost.
    pub ring: mpsc::Sender<String>,
    /// What is rung.
    pub rung: mpsc::Receiver<Rung>,
    /// For which time the lock is held that was asked for, from 1; 0 while it is not. The database drops it when this
    /// process ends, however that is.
    pub holds_lock: watch::Receiver<u64>,
}

/// What comes of the bells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rung {
    /// Somebody rang.
    Bell(String),
    /// Nobody listened for a while: look at everything.
    MayHaveMissed,
}

#[derive(Debug)]
enum Engine {
    Sqlite(sqlite::Engine),
    Postgres(postgres::Engine),
}

impl Store {
    /// Opens the database and brings its schema up to date. A server that is away is an error at once.
    pub async fn open(options: Options) -> Result<Store, OpenError> {
        Store::open_within(options, ServerLimits::default()).await
    }

    /// The same with other limits for a PostgreSQL server; SQLite has no use for them.
    pub async fn open_within(options: Options, limits: ServerLimits) -> Result<Store, OpenError> {
        let engine = match options.location {
            Location::Sqlite(file) => Engine::Sqlite(sqlite::Engine::open(file, options.readers, options.now).await?),
            Location::Postgres(url) => {
                Engine::Postgres(postgres::Engine::open(&url, options.readers, limits, options.now).await?)
            }
        };
        Ok(Store { engine: Arc::new(engine), begun: Arc::default() })
    }

    /// Runs a verb that writes. What it wrote is durable when this returns `Ok`, and none of it
    /// stands when this returns `Err`, unless that is [`StoreError::Unknown`]. The verb runs to its end
    /// even if the caller stops waiting.
    ///
    /// The verb may await nothing but its transaction. On PostgreSQL it may run again from its beginning:
    /// only when nothing of its first run can stand (decision 0024). What it does besides writing must
    /// therefore not matter, and what it captures can be cloned.
    ///
    /// ```no_run
    /// # async fn example(store: sortie_store::Store) -> Result<(), sortie_store::StoreError> {
    /// use sortie_store::{StoreError, meta};
    /// store.write(move |tx| Box::pin(async move {
    ///     meta::set(tx, "color", "green").await?;
    ///     Ok::<_, StoreError>(())
    /// })).await
    /// # }
    /// ```
    pub async fn write<T, E>(
        &self,
        verb: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Clone + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.begun.writes.fetch_add(1, Ordering::Relaxed);
        match &*self.engine {
            Engine::Sqlite(engine) => engine.write(verb).await,
            Engine::Postgres(engine) => engine.write(verb).await,
        }
    }

    /// Runs a verb that writes and has done all its refusing before its first write. On SQLite it needs
    /// no savepoint of its own, which makes a small verb a third cheaper.
    ///
    /// Should it fail in the middle of its writes all the same (a broken invariant, a full disk), then
    /// whatever shares its commit fails with it and can be tried again.
    pub async fn write_checked<T, E>(
        &self,
        verb: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Clone + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.begun.writes.fetch_add(1, Ordering::Relaxed);
        match &*self.engine {
            Engine::Sqlite(engine) => engine.write_checked(verb).await,
            Engine::Postgres(engine) => engine.write(verb).await,
        }
    }

    /// Runs a verb that only reads; a write in it fails. Everything that it reads is of one moment. It may
    /// run again from its beginning, as above.
    pub async fn read<T, E>(
        &self,
        verb: impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Clone + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.begun.reads.fetch_add(1, Ordering::Relaxed);
        match &*self.engine {
            Engine::Sqlite(engine) => engine.read(verb).await,
            Engine::Postgres(engine) => engine.read(verb).await,
        }
    }

    /// Takes nothing new, finishes what is queued, and lets go of the database. Later calls on any
    /// handle fail with [`StoreError::Closed`].
    pub async fn close(&self) {
        match &*self.engine {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Postgres(engine) => engine.close(),
        }
    }

    /// Bells to and from the other hubs on this database, where there can be any. Their connection holds this lock,
    /// while it stands.
    pub fn bells(&self, lock: Option<i64>) -> Result<Option<Bells>, OpenError> {
        match &*self.engine {
            Engine::Sqlite(_) => Ok(None),
            Engine::Postgres(engine) => engine.bells(lock).map(Some),
        }
    }

    /// How many verbs were begun so far.
    pub fn verbs(&self) -> Verbs {
        let Begun { reads, writes } = &*self.begun;
        Verbs { reads: reads.load(Ordering::Relaxed), writes: writes.load(Ordering::Relaxed) }
    }

    /// `sqlite` or `postgres`.
    pub fn engine(&self) -> &'static str {
        match &*self.engine {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }
}
