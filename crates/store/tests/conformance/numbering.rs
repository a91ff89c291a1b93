//! PostgreSQL numbers events after they are committed, so that a cursor passes none.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_store::events::{self, EventFilter, NewEvent};
use sortie_store::{Store, StoreError, Tx};
use tokio::sync::watch;

use crate::setup::{NOW, postgres, sqlite};

async fn happen(tx: &mut Tx, kind: &str) -> Result<(), StoreError> {
    let event = NewEvent { org: DEFAULT_ORG, at: NOW, kind, node: None, task: None, actor: "hub", data: "{}" };
    events::insert(tx, &event).await
}

async fn number(store: &Store) -> u64 {
    store.write(|tx| Box::pin(async move { events::number_pending(tx, 100).await })).await.unwrap()
}

async fn after(store: &Store, cursor: u64) -> Vec<(u64, String)> {
    let events = store.read(move |tx| {
        Box::pin(async move { events::list(tx, DEFAULT_ORG, &EventFilter::default(), cursor, 100).await })
    });
    events.await.unwrap().into_iter().map(|event| (event.number, event.kind)).collect()
}

#[tokio::test]
async fn two_writers_that_commit_out_of_order_hide_no_event_from_a_cursor() {
    let store = postgres().await;
    let (written, mut slow_has_written) = watch::channel(false);
    let (go_on, mut may_go_on) = watch::channel(false);
    let slow = tokio::spawn({
        let store = store.clone();
        async move {
            let verb = store.write(move |tx| {
                Box::pin(async move {
                    happen(tx, "begun.first").await?;
                    written.send_replace(true);
                    may_go_on.wait_for(|may| *may).await.expect("the story goes on");
                    Ok::<_, StoreError>(())
                })
            });
            verb.await
        }
    });
    slow_has_written.wait_for(|has| *has).await.unwrap();
    store.write(|tx| Box::pin(async move { happen(tx, "begun.second").await })).await.unwrap();
    assert_eq!(after(&store, 0).await, []);
    assert_eq!(number(&store).await, 1);
    assert_eq!(after(&store, 0).await, [(1, "begun.second".to_owned())]);
    go_on.send(true).unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(number(&store).await, 1);
    assert_eq!(after(&store, 1).await, [(2, "begun.first".to_owned())]);
    assert_eq!(number(&store).await, 0);
    store.close().await;
}

#[tokio::test]
async fn changes_that_hubs_remember_are_found_between_two_numbers() {
    for store in [postgres().await, sqlite().await.0] {
        for kind in ["node.changed", "task.submitted", "token.revoked", "setting.changed"] {
            store.write(move |tx| Box::pin(async move { happen(tx, kind).await })).await.unwrap();
        }
        number(&store).await;
        let found = store.read(|tx| Box::pin(async move { events::changes_between(tx, 1, 4).await })).await.unwrap();
        let kinds: Vec<_> = found.iter().map(|change| change.kind.as_str()).collect();
        assert_eq!(kinds, ["token.revoked", "setting.changed"]);
        let all = store.read(|tx| Box::pin(async move { events::changes_between(tx, 0, 2).await })).await.unwrap();
        assert_eq!(all.iter().map(|change| change.kind.as_str()).collect::<Vec<_>>(), ["node.changed"]);
        store.close().await;
    }
}

#[tokio::test]
async fn hubs_that_number_at_once_leave_no_gap_and_no_double() {
    let store = postgres().await;
    let work = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                store.write(|tx| Box::pin(async move { happen(tx, "kind").await })).await.unwrap();
                number(&store).await;
            }
        })
    });
    for hub in work.collect::<Vec<_>>() {
        hub.await.unwrap();
    }
    number(&store).await;
    number(&store).await;
    number(&store).await;
    let numbers: Vec<u64> = {
        let (mut all, mut cursor) = (Vec::new(), 0);
        loop {
            let page = after(&store, cursor).await;
            let Some((last, _)) = page.last() else { break all };
            cursor = *last;
            all.extend(page.into_iter().map(|(number, _)| number));
        }
    };
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
    store.close().await;
}

#[tokio::test]
async fn sqlite_numbers_at_insert_and_rolled_back_events_take_no_number() {
    let (store, _folder) = sqlite().await;
    for kind in ["one", "two"] {
        let undone = store.write(|tx| {
            Box::pin(async move {
                happen(tx, "undone").await?;
                Err::<(), _>(StoreError::Closed)
            })
        });
        undone.await.unwrap_err();
        store.write(move |tx| Box::pin(async move { happen(tx, kind).await })).await.unwrap();
    }
    assert_eq!(after(&store, 0).await, [(1, "one".to_owned()), (2, "two".to_owned())]);
    assert_eq!(number(&store).await, 0);
    store.close().await;
}
