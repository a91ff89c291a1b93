//! Transactions: what a verb may count on, whichever engine runs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sortie_store::{Store, StoreError, Value, meta};

use crate::setup::store_stories;

store_stories!(
    what_a_verb_wrote_is_read_afterwards,
    a_verb_that_fails_leaves_nothing_behind,
    a_failed_statement_cannot_be_overlooked,
    a_panic_is_an_error_and_the_store_goes_on,
    a_verb_runs_to_its_end_though_its_caller_has_gone,
    a_read_cannot_write,
    a_verb_has_errors_of_its_own,
    many_writers_at_once_all_get_their_answer,
    a_closed_store_says_so,
);

async fn set(store: &Store, key: &'static str, value: &'static str) -> Result<(), StoreError> {
    store.write(move |tx| Box::pin(async move { meta::set(tx, key, value).await })).await
}

async fn get(store: &Store, key: &'static str) -> Option<String> {
    store.read(move |tx| Box::pin(async move { meta::get(tx, key).await })).await.unwrap()
}

async fn what_a_verb_wrote_is_read_afterwards(store: Store) {
    set(&store, "color", "green").await.unwrap();
    assert_eq!(get(&store, "color").await.as_deref(), Some("green"));
    assert!(["sqlite", "postgres"].contains(&store.engine()));
}

#[derive(Debug, PartialEq)]
enum Fault {
    Refused,
    Store(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::Store(error)
    }
}

async fn a_verb_that_fails_leaves_nothing_behind(store: Store) {
    let verb = store.write(|tx| {
        Box::pin(async move {
            meta::set(tx, "color", "green").await?;
            Err::<(), _>(Fault::Refused)
        })
    });
    assert_eq!(verb.await, Err(Fault::Refused));
    assert_eq!(get(&store, "color").await, None);
}

async fn a_failed_statement_cannot_be_overlooked(store: Store) {
    let verb = store.write(|tx| {
        Box::pin(async move {
            meta::set(tx, "color", "green").await?;
            let failed = tx.execute("insert into meta (key, value) values ($1, $2)", &["k".into(), Value::Null]).await;
            assert!(matches!(failed, Err(StoreError::Constraint { .. })), "{failed:?}");
            let next = meta::set(tx, "color", "blue").await;
            assert_eq!(next, failed.map(drop));
            Ok::<_, StoreError>(())
        })
    });
    assert!(matches!(verb.await, Err(StoreError::Constraint { .. })));
    assert_eq!(get(&store, "color").await, None);
}

async fn a_panic_is_an_error_and_the_store_goes_on(store: Store) {
    for _ in 0..10 {
        let verb = store.write(|tx| {
            Box::pin(async move {
                meta::set(tx, "color", "green").await?;
                panic!("the verb's own words");
                #[expect(unreachable_code, reason = "says what the verb would return")]
                Ok::<(), StoreError>(())
            })
        });
        let StoreError::Bug { why } = verb.await.unwrap_err() else { panic!("a panic is a bug") };
        assert!(why.contains("the verb's own words"), "{why}");
    }
    let reading = store.read(|_| Box::pin(async move { panic!("while reading") }));
    assert!(matches!(reading.await, Err::<(), _>(StoreError::Bug { .. })));
    assert_eq!(get(&store, "color").await, None);
    set(&store, "color", "blue").await.unwrap();
}

async fn a_verb_runs_to_its_end_though_its_caller_has_gone(store: Store) {
    let begun = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&begun);
    let verb = store.write(move |tx| {
        Box::pin(async move {
            seen.store(true, Ordering::SeqCst);
            meta::set(tx, "half", "one").await?;
            meta::set(tx, "other half", "two").await
        })
    });
    // One look starts it; then nobody waits any more.
    let mut verb = Box::pin(verb);
    let _ = futures_poll_once(&mut verb).await;
    drop(verb);
    // Writes of one caller after another: this one ends after that one has on SQLite, and on
    // PostgreSQL it is looked for until it has.
    set(&store, "later", "three").await.unwrap();
    while get(&store, "other half").await.is_none() {
        tokio::task::yield_now().await;
    }
    assert!(begun.load(Ordering::SeqCst));
    assert_eq!(get(&store, "half").await.as_deref(), Some("one"));
}

async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

async fn a_read_cannot_write(store: Store) {
    let verb = store.read(|tx| Box::pin(async move { meta::set(tx, "color", "green").await }));
    assert!(verb.await.is_err());
    assert_eq!(get(&store, "color").await, None);
}

async fn a_verb_has_errors_of_its_own(store: Store) {
    let verb = store.write(|_| Box::pin(async move { Err::<(), _>(Fault::Refused) }));
    assert_eq!(verb.await, Err(Fault::Refused));
    let verb = store.read(|tx| {
        Box::pin(async move {
            tx.query("select no_such_column from meta", &[]).await?;
            Ok::<_, Fault>(())
        })
    });
    assert!(matches!(verb.await, Err(Fault::Store(StoreError::Bug { .. }))));
}

async fn many_writers_at_once_all_get_their_answer(store: Store) {
    let writers: Vec<_> = (0..500_u32)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let verb = store.write(move |tx| {
                    Box::pin(async move {
                        let key = format!("key-{number}");
                        meta::set(tx, &key, "value").await?;
                        // Every third changes its mind.
                        if number % 3 == 0 { Err(Fault::Refused) } else { Ok(number) }
                    })
                });
                (number, verb.await)
            })
        })
        .collect();
    for writer in writers {
        let (number, answer) = writer.await.unwrap();
        assert_eq!(answer, if number % 3 == 0 { Err(Fault::Refused) } else { Ok(number) });
    }
    let kept =
        store.read(|tx| Box::pin(async move { tx.query("select key from meta where key like 'key-%'", &[]).await }));
    assert_eq!(kept.await.unwrap().len(), 333);
}

async fn a_closed_store_says_so(store: Store) {
    set(&store, "color", "green").await.unwrap();
    store.close().await;
    store.close().await;
    assert_eq!(set(&store, "color", "blue").await, Err(StoreError::Closed));
    let read = store.read(|tx| Box::pin(async move { meta::get(tx, "color").await }));
    assert_eq!(read.await, Err(StoreError::Closed));
}
