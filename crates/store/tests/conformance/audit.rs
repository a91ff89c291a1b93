//! The audit log: entries become links of one chain for each org, in an order that their commits settle.

use aws_lc_rs::digest::{SHA256, digest};
use sortie_rules::audit::{Checker, Hash, Head, hex, write_head};
use sortie_rules::ids::{DEFAULT_ORG, OrgId};
use sortie_store::audit::{self, NewEntry};
use sortie_store::orgs::{self, OrgRow};
use sortie_store::{Store, StoreError, Tx};
use tokio::sync::watch;

use crate::setup::{NOW, OTHER_ORG, postgres, store_stories};

store_stories!(
    entries_become_links_that_follow_each_other,
    what_a_failed_verb_handed_in_is_in_no_chain,
    each_org_has_a_chain_of_its_own,
    many_writers_at_once_make_one_chain,
    a_chain_is_read_from_any_place_in_both_directions,
    what_stands_in_the_log_is_neither_changed_nor_removed,
    a_read_hands_nothing_in,
);

fn sha256(bytes: &[u8]) -> Hash {
    digest(&SHA256, bytes).as_ref().try_into().expect("32 bytes")
}

fn entry(org: OrgId, what: &str) -> NewEntry {
    NewEntry::new(org, format!(r#"{{"action":"{what}","org":"{org}"}}"#))
}

async fn hand_in(store: &Store, org: OrgId, what: &str) {
    let entry = entry(org, what);
    store.write(move |tx| Box::pin(async move { audit::insert(tx, entry).await })).await.unwrap();
}

/// Has the entries sealed that wait for it: on SQLite there are none.
async fn seal(store: &Store) -> u64 {
    store.write(|tx| Box::pin(async move { audit::seal_waiting(tx, 1000).await })).await.unwrap()
}

/// What stands in a chain, after it was checked: each entry's action, in order.
async fn chain(store: &Store, org: OrgId) -> Vec<String> {
    seal(store).await;
    let (blocks, head) = store
        .read(move |tx| {
            Box::pin(async move {
                let blocks = audit::list(tx, org, 0, 10_000).await?;
                Ok::<_, StoreError>((blocks, audit::head(tx, org).await?))
            })
        })
        .await
        .unwrap();
    let (number, hash) = head.unwrap_or_default();
    let mut text: String = blocks.iter().map(|block| block.lines.as_str()).collect();
    let head = Head { at: NOW, hash: hex(&hash), number, org };
    let actions = text.lines().map(|line| {
        let link: serde_json::Value = serde_json::from_str(line).unwrap();
        link["entry"]["action"].as_str().unwrap().to_owned()
    });
    let actions = actions.collect();
    text.push_str(&write_head(&head, &serde_json::json!({})));
    let mut checker = Checker::new(sha256);
    for line in text.lines() {
        checker.line(line.as_bytes());
    }
    assert_eq!(checker.finish(true), Ok(()), "{text}");
    for block in blocks {
        assert_eq!(block.lines.lines().count() as u64, block.last - block.first + 1, "{block:?}");
    }
    actions
}

async fn entries_become_links_that_follow_each_other(store: Store) {
    assert_eq!(chain(&store, DEFAULT_ORG).await, [""; 0]);
    for what in ["one", "two", "three"] {
        hand_in(&store, DEFAULT_ORG, what).await;
    }
    assert_eq!(chain(&store, DEFAULT_ORG).await, ["one", "two", "three"]);
    let both = store.write(|tx| {
        Box::pin(async move {
            audit::insert(tx, entry(DEFAULT_ORG, "four")).await?;
            audit::insert(tx, entry(DEFAULT_ORG, "five")).await
        })
    });
    both.await.unwrap();
    assert_eq!(chain(&store, DEFAULT_ORG).await, ["one", "two", "three", "four", "five"]);
}

/// A verb that hands something in and then fails, or not.
async fn attempt(tx: &mut Tx, what: &str, stands: bool) -> Result<(), StoreError> {
    audit::insert(tx, entry(DEFAULT_ORG, what)).await?;
    if stands { Ok(()) } else { Err(StoreError::Unavailable { why: "refused".to_owned() }) }
}

async fn what_a_failed_verb_handed_in_is_in_no_chain(store: Store) {
    let verbs = (0..40).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let what = format!("act{number}");
            let stands = number % 2 == 0;
            let done = if number % 4 < 2 {
                store.write(move |tx| Box::pin(async move { attempt(tx, &what, stands).await })).await
            } else {
                store.write_checked(move |tx| Box::pin(async move { attempt(tx, &what, stands).await })).await
            };
            assert_eq!(done.is_ok(), number % 2 == 0);
        })
    });
    for verb in verbs.collect::<Vec<_>>() {
        verb.await.unwrap();
    }
    let mut stands = chain(&store, DEFAULT_ORG).await;
    stands.sort_unstable();
    let mut wanted: Vec<String> = (0..40).step_by(2).map(|number| format!("act{number}")).collect();
    wanted.sort_unstable();
    assert_eq!(stands, wanted);
}

async fn each_org_has_a_chain_of_its_own(store: Store) {
    for (org, what) in [(DEFAULT_ORG, "one"), (OTHER_ORG, "two"), (DEFAULT_ORG, "three"), (OTHER_ORG, "four")] {
        hand_in(&store, org, what).await;
    }
    assert_eq!(chain(&store, DEFAULT_ORG).await, ["one", "three"]);
    assert_eq!(chain(&store, OTHER_ORG).await, ["two", "four"]);
    let third: OrgId = crate::setup::id(3);
    let row = OrgRow { id: third, name: "third".to_owned(), created_at: NOW };
    let made = store.write(move |tx| {
        Box::pin(async move {
            orgs::insert(tx, &row).await?;
            audit::insert(tx, entry(third, "begun")).await
        })
    });
    made.await.unwrap();
    assert_eq!(chain(&store, third).await, ["begun"]);
}

async fn many_writers_at_once_make_one_chain(store: Store) {
    let writers = (0..16).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..10 {
                hand_in(&store, DEFAULT_ORG, &format!("w{writer}n{number}")).await;
                // As several hubs do.
                seal(&store).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let stands = chain(&store, DEFAULT_ORG).await;
    assert_eq!(stands.len(), 160);
    for writer in 0..16 {
        let own = format!("w{writer}n");
        let numbers: Vec<u32> = stands.iter().filter_map(|what| what.strip_prefix(&own)?.parse().ok()).collect();
        assert_eq!(numbers, (0..10).collect::<Vec<_>>(), "each writer's acts stand in the order of its commits");
    }
}

async fn a_chain_is_read_from_any_place_in_both_directions(store: Store) {
    // Blocks of several links, one of which is cut because it would be too long.
    for count in [1_usize, 7, 40] {
        let long = "x".repeat(10_000);
        let done = store.write(move |tx| {
            Box::pin(async move {
                for number in 0..count {
                    audit::insert(tx, entry(DEFAULT_ORG, &format!("{long}{number}"))).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        done.await.unwrap();
        seal(&store).await;
    }
    let total = 48;
    assert_eq!(chain(&store, DEFAULT_ORG).await.len(), total);
    let read = |after: u64, newest_first: bool, limit: u32| {
        let store = store.clone();
        async move {
            let blocks = store.read(move |tx| {
                Box::pin(async move {
                    match newest_first {
                        false => audit::list(tx, DEFAULT_ORG, after, limit).await,
                        true => audit::list_newest(tx, DEFAULT_ORG, after, limit).await,
                    }
                })
            });
            blocks.await.unwrap().iter().map(|block| (block.first, block.last)).collect::<Vec<_>>()
        }
    };
    let all = read(0, false, 100).await;
    assert!(all.len() >= 4, "the last act is too long for one block: {all:?}");
    for place in 0..=total as u64 + 2 {
        let after: Vec<_> = all.iter().copied().filter(|(_, last)| *last > place).collect();
        assert_eq!(read(place, false, 100).await, after);
        assert_eq!(read(place, false, 1).await, after.into_iter().take(1).collect::<Vec<_>>());
        let mut before: Vec<_> = all.iter().copied().filter(|(first, _)| *first < place).collect();
        before.reverse();
        assert_eq!(read(place, true, 100).await, before, "before {place}");
    }
    assert_eq!(read(i64::MAX as u64, true, 1).await, [*all.last().unwrap()]);
}

async fn what_stands_in_the_log_is_neither_changed_nor_removed(store: Store) {
    hand_in(&store, DEFAULT_ORG, "one").await;
    seal(&store).await;
    for sql in ["update audit set lines = ''", "delete from audit", "insert into audit select * from audit"] {
        let done = store.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await })).await;
        assert!(done.is_err(), "{sql}");
    }
    assert_eq!(chain(&store, DEFAULT_ORG).await, ["one"]);
}

async fn a_read_hands_nothing_in(store: Store) {
    let tried = store.read(|tx| Box::pin(async move { audit::insert(tx, entry(DEFAULT_ORG, "one")).await })).await;
    assert!(matches!(tried, Err(StoreError::Bug { .. })), "{tried:?}");
    assert_eq!(chain(&store, DEFAULT_ORG).await, [""; 0]);
}

#[tokio::test]
async fn transactions_that_commit_out_of_order_stand_in_the_order_of_their_commits() {
    let store = postgres().await;
    let (handed_in, mut slow_has_begun) = watch::channel(false);
    let (go_on, mut may_go_on) = watch::channel(false);
    let slow = tokio::spawn({
        let store = store.clone();
        async move {
            let verb = store.write(move |tx| {
                Box::pin(async move {
                    audit::insert(tx, entry(DEFAULT_ORG, "begun_first")).await?;
                    handed_in.send_replace(true);
                    may_go_on.wait_for(|may| *may).await.expect("the story goes on");
                    Ok::<_, StoreError>(())
                })
            });
            verb.await
        }
    });
    slow_has_begun.wait_for(|has| *has).await.unwrap();
    hand_in(&store, DEFAULT_ORG, "begun_second").await;
    assert_eq!(chain(&store, DEFAULT_ORG).await, ["begun_second"]);
    go_on.send(true).unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(chain(&store, DEFAULT_ORG).await, ["begun_second", "begun_first"]);
    store.close().await;
}
