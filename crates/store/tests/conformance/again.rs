//! PostgreSQL: a verb runs again when nothing of its first run can stand, and only then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sortie_rules::limits::DATABASE_TRIES_MAX;
use sortie_store::{Store, StoreError, Tx, meta};
use tokio::sync::{Barrier, Semaphore};

use crate::setup::postgres;

async fn kept(store: &Store, key: &'static str) -> Option<String> {
    store.read(move |tx| Box::pin(async move { meta::get(tx, key).await })).await.unwrap()
}

/// Ends the connection that a verb runs on, as an operator of the server would.
async fn end_connection(tx: &mut Tx) -> Result<(), StoreError> {
    tx.query("select pg_terminate_backend(pg_backend_pid())", &[]).await.map(drop)
}

#[tokio::test]
async fn two_verbs_that_wait_for_each_other_both_come_to_their_end() {
    let store = postgres().await;
    let both = Arc::new(Barrier::new(2));
    let runs = Arc::new(AtomicU32::new(0));
    let ended = Arc::new(Semaphore::new(0));
    let verb = |first: &'static str, second: &'static str| {
        let (store, both, runs, ended) = (store.clone(), Arc::clone(&both), Arc::clone(&runs), Arc::clone(&ended));
        let end = Arc::clone(&ended);
        async move {
            let verb = store.write(move |tx| {
                Box::pin(async move {
                    let run = runs.fetch_add(1, Ordering::SeqCst);
                    tx.execute("set local deadlock_timeout = '10ms'", &[]).await?;
                    // The one that runs again comes after the other: were it back before that has gone on, the server
                    // might let it in first, and they would meet once more.
                    if run == 2 {
                        drop(ended.acquire().await.expect("it is not closed"));
                    }
                    meta::set(tx, first, first).await?;
                    // Only the first runs meet.
                    if run < 2 {
                        both.wait().await;
                    }
                    meta::set(tx, second, first).await
                })
            });
            let outcome = verb.await;
            end.add_permits(1);
            outcome
        }
    };
    let (one, other) = tokio::join!(verb("a", "b"), verb("b", "a"));
    assert_eq!((one, other), (Ok(()), Ok(())));
    assert_eq!(runs.load(Ordering::SeqCst), 3, "one of them ran twice");
    assert_eq!(kept(&store, "a").await, kept(&store, "b").await, "the last one wrote both");
    store.close().await;
}

#[tokio::test]
async fn a_verb_that_loses_its_connection_before_the_commit_runs_again() {
    let store = postgres().await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let verb = store.write(move |tx| {
        Box::pin(async move {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            meta::set(tx, &format!("run-{run}"), "x").await?;
            if run == 0 { end_connection(tx).await } else { Ok(()) }
        })
    });
    verb.await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(kept(&store, "run-0").await, None, "nothing of the first run stands");
    assert_eq!(kept(&store, "run-1").await.as_deref(), Some("x"));
    store.close().await;
}

async fn run_into_trouble(tx: &mut Tx, runs: Arc<AtomicU32>) -> Result<(), StoreError> {
    runs.fetch_add(1, Ordering::SeqCst);
    end_connection(tx).await
}

#[tokio::test]
async fn a_verb_that_loses_every_connection_is_given_up() {
    let store = postgres().await;
    let runs = Arc::new(AtomicU32::new(0));
    let (of_write, of_read) = (Arc::clone(&runs), Arc::clone(&runs));
    let ended = store.write(move |tx| Box::pin(run_into_trouble(tx, of_write))).await;
    assert!(matches!(ended, Err(StoreError::Unavailable { .. })), "{ended:?}");
    assert_eq!(runs.swap(0, Ordering::SeqCst), DATABASE_TRIES_MAX);
    let ended = store.read(move |tx| Box::pin(run_into_trouble(tx, of_read))).await;
    assert!(matches!(ended, Err(StoreError::Unavailable { .. })), "{ended:?}");
    assert_eq!(runs.load(Ordering::SeqCst), DATABASE_TRIES_MAX);
    assert_eq!(kept(&store, "any").await, None, "and the store goes on");
    store.close().await;
}

#[tokio::test]
async fn a_verb_that_refuses_runs_once() {
    let store = postgres().await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let verb = store.write(move |tx| {
        Box::pin(async move {
            counted.fetch_add(1, Ordering::SeqCst);
            tx.execute("insert into meta (key, value) values ('k', null)", &[]).await.map(drop)
        })
    });
    assert!(matches!(verb.await, Err(StoreError::Constraint { .. })));
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    store.close().await;
}
