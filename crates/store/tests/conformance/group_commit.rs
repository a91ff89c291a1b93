//! Group commit on SQLite: jobs share a transaction but not each other's fate, unless the
//! transaction itself is lost.

use std::sync::{Arc, Mutex, mpsc};

use sortie_store::{Store, StoreError, meta};

use crate::setup::sqlite;

/// Holds the writer until the returned sender is dropped, so that what is written meanwhile makes
/// one group.
async fn hold(store: &Store) -> (mpsc::SyncSender<()>, tokio::task::JoinHandle<()>) {
    let (release, held) = mpsc::sync_channel::<()>(1);
    let held = Arc::new(Mutex::new(held));
    let (begun, mut has_begun) = tokio::sync::watch::channel(false);
    let store = store.clone();
    let holder = tokio::spawn(async move {
        let verb = store.write(move |_| {
            Box::pin(async move {
                begun.send_replace(true);
                let _ = held.lock().unwrap().recv();
                Ok::<_, StoreError>(())
            })
        });
        verb.await.unwrap();
    });
    has_begun.wait_for(|has| *has).await.unwrap();
    (release, holder)
}

/// Writes one word per job, all in one group; `spoil` may do something to its transaction first.
async fn in_one_group(
    store: &Store,
    jobs: usize,
    spoil: impl Fn(usize) -> &'static [&'static str],
) -> Vec<Result<(), StoreError>> {
    let (release, holder) = hold(store).await;
    let mut waiting = Vec::new();
    for number in 0..jobs {
        let (store, first) = (store.clone(), spoil(number));
        let mut job = Box::pin(async move {
            let verb = store.write(move |tx| {
                Box::pin(async move {
                    for sql in first {
                        tx.query(sql, &[]).await?;
                    }
                    meta::set(tx, &format!("job-{number}"), &"x".repeat(3000)).await
                })
            });
            verb.await
        });
        // One look puts it into the queue, so that the order is that of the numbers. (More than a
        // hundred in one turn, and tokio would make them wait for the next.)
        let looked = std::future::poll_fn(|context| std::task::Poll::Ready(job.as_mut().poll(context).is_ready()));
        assert!(!looked.await);
        waiting.push(job);
    }
    drop(release);
    holder.await.unwrap();
    let mut answers = Vec::new();
    for job in waiting {
        answers.push(job.await);
    }
    answers
}

async fn kept(store: &Store) -> Vec<String> {
    let rows = store.read(|tx| {
        Box::pin(async move { tx.query("select key from meta where key like 'job-%' order by key", &[]).await })
    });
    rows.await.unwrap().into_iter().map(|row| row.columns("meta").text("key").unwrap()).collect()
}

#[tokio::test]
async fn a_job_that_fails_does_not_undo_its_neighbours() {
    let (store, _folder) = sqlite().await;
    let answers = in_one_group(&store, 5, |number| if number == 2 { &["select no_such_column"] } else { &[] }).await;
    assert!(matches!(answers[2], Err(StoreError::Bug { .. })));
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4);
    assert_eq!(kept(&store).await, ["job-0", "job-1", "job-3", "job-4"]);
    store.close().await;
}

#[tokio::test]
async fn when_the_transaction_is_lost_the_whole_group_fails_and_nothing_later_commits_alone() {
    let (store, _folder) = sqlite().await;
    let answers = in_one_group(&store, 5, |number| if number == 2 { &["rollback"] } else { &[] }).await;
    assert!(answers.iter().all(Result::is_err), "{answers:?}");
    assert_eq!(kept(&store).await, Vec::<String>::new());
    let answers = in_one_group(&store, 2, |_| &[]).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(kept(&store).await, ["job-0", "job-1"]);
    store.close().await;
}

#[tokio::test]
async fn a_full_database_fails_the_whole_group_and_works_again_when_there_is_room() {
    let (store, _folder) = sqlite().await;
    // The third job finds that the database may not grow: a real SQLITE_FULL at its insert.
    let limit = |number| if number == 2 { &["pragma max_page_count = 1"][..] } else { &[] };
    let answers = in_one_group(&store, 100, limit).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::Full { .. }))), "{answers:?}");
    assert_eq!(kept(&store).await, Vec::<String>::new());
    let answers = in_one_group(&store, 3, |_| &["pragma max_page_count = 1000000"]).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(kept(&store).await.len(), 3);
    store.close().await;
}
