//! The SQLite engine as a whole: its threads and their queues.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use sortie_rules::time::Millis;
use tokio::sync::{mpsc, oneshot};

use super::faults::unreachable;
use super::job::{Job, job};
use super::pragmas::{open_reader, open_writer};
use super::{flusher, readers, writer};
use crate::errors::{OpenError, StoreError};
use crate::migrations;
use crate::store::BoxFuture;
use crate::tx::Tx;

/// An open SQLite database.
#[derive(Debug)]
pub(crate) struct Engine {
    orders: mpsc::Sender<writer::Order>,
    /// Taken at close, which is how readers learn that nobody asks any more.
    questions: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Opens the file, migrates it and starts the threads.
    pub(crate) async fn open(file: PathBuf, reader_count: usize, now: Millis) -> Result<Engine, OpenError> {
        let what = file.display().to_string();
        let opened = tokio::task::spawn_blocking(move || start(&file, reader_count, now)).await;
        opened.unwrap_or_else(|why| Err(OpenError::Unreachable { what, why: why.to_string() }))
    }

    pub(crate) async fn write<F, T, E>(&self, verb: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = job(verb, false);
        self.order(job, answer).await
    }

    pub(crate) async fn write_checked<F, T, E>(&self, verb: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = job(verb, true);
        self.order(job, answer).await
    }

    async fn order<T, E: From<StoreError>>(
        &self,
        job: Box<dyn Job>,
        answer: oneshot::Receiver<Result<T, E>>,
    ) -> Result<T, E> {
        self.orders.send(writer::Order::Run(job)).await.map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    pub(crate) async fn read<F, T, E>(&self, verb: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let questions = questions.ok_or(StoreError::Closed)?;
        let (job, answer) = job(verb, false);
        questions.send(job).await.map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Finishes what is queued and ends the threads. Twice is as good as once.
    pub(crate) async fn close(&self) {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).take();
        // An error means that the writer has ended already.
        let _ = self.orders.send(writer::Order::Close).await;
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(|| {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread of the database ended in a panic");
                }
            }
        });
        if joined.await.is_err() {
            tracing::error!("the threads of the database could not be waited for");
        }
    }
}

fn start(file: &Path, reader_count: usize, now: Millis) -> Result<Engine, OpenError> {
    let mut connection = open_writer(file)?;
    migrations::on_sqlite(&mut connection, now, migrations::newest_known())?;
    let (orders, waiting) = mpsc::channel(writer::QUEUE_MAX);
    let (questions, asked) = mpsc::channel(readers::QUEUE_MAX);
    let asked: readers::Queue = Arc::new(Mutex::new(asked));
    let wal = Arc::new(flusher::Wal::of(file).map_err(|why| unreachable(file, &why))?);
    let (to_flush, unflushed) = mpsc::channel(flusher::QUEUE_MAX);
    // Readers are opened first, so that a failure to open one ends the lot before a thread runs.
    let opened: Vec<_> = (0..reader_count.max(1)).map(|_| open_reader(file)).collect::<Result<_, _>>()?;
    let (its_wal, its_flusher) = (Arc::clone(&wal), to_flush.clone());
    let mut threads = vec![spawn("store-writer", file, move || {
        writer::work(Tx::on_sqlite(connection, true), waiting, &its_wal, &its_flusher);
    })?];
    for connection in opened {
        let (asked, wal, flusher) = (Arc::clone(&asked), Arc::clone(&wal), to_flush.clone());
        threads.push(spawn("store-reader", file, move || {
            readers::work(Tx::on_sqlite(connection, false), &asked, &wal, &flusher);
        })?);
    }
    threads.push(spawn("store-flusher", file, move || flusher::work(&wal, unflushed))?);
    Ok(Engine { orders, questions: Mutex::new(Some(questions)), threads: Mutex::new(threads) })
}

fn spawn(name: &str, file: &Path, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map_err(|why| unreachable(file, &why))
}
