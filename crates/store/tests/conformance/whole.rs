//! A database as a whole: nothing of it is forgotten, whichever engine it comes from and goes to.

use std::collections::BTreeMap;

use counterparts::Postgres;
use sortie_rules::ids::DEFAULT_ORG;
use sortie_store::audit::{self, NewEntry};
use sortie_store::events::{self, EventFilter, NewEvent};
use sortie_store::orgs::OrgRow;
use sortie_store::whole::{self, Hold, LEFT_BEHIND, Schema, Source, TABLES, Tallies, Tally, Target, newest_schema};
use sortie_store::{Location, OpenError, Options, Store, StoreError, Tx, meta, orgs, tasks};

use crate::setup::{NOW, OTHER_ORG, enroll, id, store_stories, task};

store_stories!(every_table_of_the_schema_is_named_once, after_a_leap_every_number_is_above_all_that_were_given_out,);

async fn every_table_of_the_schema_is_named_once(store: Store) {
    let there = store.read(|tx| Box::pin(async move { whole::names(tx).await })).await.unwrap();
    let named: Vec<&str> = TABLES.iter().map(|table| table.name).chain(LEFT_BEHIND.iter().copied()).collect();
    let unnamed: Vec<_> = there.iter().filter(|name| !named.contains(&name.as_str())).collect();
    assert!(unnamed.is_empty(), "crates/store/src/whole/tables.rs does not name {unnamed:?}");
    let gone: Vec<_> = named.iter().filter(|name| !there.iter().any(|there| there == *name)).collect();
    let only_there = if store.engine() == "sqlite" { vec![&"audit_waiting"] } else { Vec::new() };
    assert_eq!(gone, only_there);
    assert_eq!(named.iter().collect::<std::collections::BTreeSet<_>>().len(), named.len());
}

async fn happen(tx: &mut Tx, kind: &str) -> Result<(), StoreError> {
    events::insert(tx, &event(kind)).await
}

fn event(kind: &str) -> NewEvent<'_> {
    NewEvent { org: DEFAULT_ORG, at: NOW, kind, node: None, task: None, actor: "hub", data: "{}" }
}

async fn numbers(store: &Store) -> Vec<(String, u64)> {
    store.write(|tx| Box::pin(async move { events::number_pending(tx, 100).await })).await.unwrap();
    let all =
        store.read(|tx| Box::pin(async move { events::list(tx, DEFAULT_ORG, &EventFilter::default(), 0, 100).await }));
    all.await.unwrap().into_iter().map(|event| (event.kind, event.number)).collect()
}

async fn after_a_leap_every_number_is_above_all_that_were_given_out(store: Store) {
    store.write(|tx| Box::pin(async move { happen(tx, "one").await })).await.unwrap();
    assert_eq!(numbers(&store).await, [("one".to_owned(), 1)]);
    store.write(|tx| Box::pin(async move { events::leap(tx, &event("leap"), 1000).await })).await.unwrap();
    store.write(|tx| Box::pin(async move { happen(tx, "two").await })).await.unwrap();
    assert_eq!(numbers(&store).await, [("one".into(), 1), ("leap".into(), 1001), ("two".into(), 1002)]);
}

/// A fresh place on each engine. The folder is gone with the second.
async fn places() -> (Vec<Location>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = tokio::task::spawn_blocking(|| Postgres::shared().fresh_database()).await.unwrap();
    (vec![Location::Sqlite(folder.path().join("hub.sqlite")), Location::Postgres(url)], folder)
}

async fn open(location: &Location) -> Store {
    Store::open(Options { location: location.clone(), readers: 2, now: NOW }).await.unwrap()
}

/// Many rows of several tables, with every kind of value.
async fn fill(location: &Location) -> Store {
    let store = open(location).await;
    let filled = store.write(|tx| {
        Box::pin(async move {
            for (id, name) in [(DEFAULT_ORG, "default"), (OTHER_ORG, "other")] {
                orgs::insert(tx, &OrgRow { id, name: name.into(), created_at: NOW }).await?;
            }
            for number in 1..=40 {
                let node = enroll(tx, number).await?;
                for count in 0..5 {
                    tasks::insert(tx, &task(number * 100 + count, node)).await?;
                }
            }
            for key in ["Ω", "a", "Z", "_b", "ä"] {
                meta::set(tx, key, "\u{1}\"\\ größer\n").await?;
            }
            for org in [DEFAULT_ORG, OTHER_ORG] {
                audit::insert(tx, NewEntry::new(org, format!(r#"{{"org":"{org}"}}"#))).await?;
            }
            happen(tx, "one").await?;
            happen(tx, "two").await
        })
    });
    filled.await.unwrap();
    store
}

/// Copies, and returns what was read on either side.
async fn copy(from: &Location, to: &Location, hold: Hold) -> [BTreeMap<&'static str, Tally>; 2] {
    let mut source = Source::open(from, hold).await.unwrap();
    let mut target = Target::make(to, source.schema(), NOW).await.unwrap();
    let mut sent = Tallies::default();
    while let Some(part) = source.next().await.unwrap() {
        assert!(!source.columns(part.table).await.unwrap().is_empty());
        assert_eq!(target.load(part.table, &part.lines).await.unwrap(), part.rows, "{}", part.table);
        sent.add(&part);
    }
    let arrived = target.tallies().await.unwrap().finish();
    target.finish().await.unwrap();
    [sent.finish(), arrived]
}

#[tokio::test]
async fn a_database_that_is_copied_between_any_engines_holds_the_same() {
    let (from, _folder) = places().await;
    for from in &from {
        let store = fill(from).await;
        store.close().await;
        let (targets, _folder) = places().await;
        for to in &targets {
            let [sent, arrived] = copy(from, to, Hold::Still).await;
            assert_eq!(sent, arrived, "{from:?} {to:?}");
            assert_eq!((sent["nodes"].rows, sent["tasks"].rows, sent["events"].rows), (40, 200, 2));
            assert_eq!((sent["audit"].rows, sent["events"].waiting), (2, 0));
            let copied = open(to).await;
            copied.write(|tx| Box::pin(async move { happen(tx, "three").await })).await.unwrap();
            let kinds = numbers(&copied).await;
            assert_eq!(kinds, [("one".into(), 1), ("two".into(), 2), ("three".into(), 3)], "numbers go on");
            let read = copied.read(|tx| Box::pin(async move { tasks::get_life(tx, id(203)).await })).await.unwrap();
            assert_eq!(read.unwrap().life, task(203, id(2)).life);
            copied.close().await;
        }
    }
}

#[tokio::test]
async fn what_waits_for_a_number_or_a_link_arrives_and_gets_it() {
    let (mut from, _folder) = places().await;
    let from = from.pop().expect("PostgreSQL is the second");
    let store = fill(&from).await;
    let (targets, _folder) = places().await;
    for to in &targets {
        let [sent, _] = copy(&from, to, Hold::Moment).await;
        assert_eq!((sent["events"].rows, sent["events"].waiting, sent["audit_waiting"].waiting), (0, 2, 2));
        let copied = open(to).await;
        assert_eq!(numbers(&copied).await, [("one".to_owned(), 1), ("two".to_owned(), 2)]);
        copied.write(|tx| Box::pin(async move { audit::seal_waiting(tx, 100).await })).await.unwrap();
        for org in [DEFAULT_ORG, OTHER_ORG] {
            let head = copied.read(move |tx| Box::pin(async move { audit::head(tx, org).await })).await.unwrap();
            assert_eq!(head.map(|(number, _)| number), Some(1));
        }
        copied.close().await;
    }
    store.close().await;
}

#[tokio::test]
async fn a_database_is_read_as_of_one_moment() {
    let (from, _folder) = places().await;
    for from in &from {
        let store = fill(from).await;
        let mut source = Source::open(from, Hold::Moment).await.unwrap();
        let late = store.write(|tx| {
            Box::pin(async move {
                let node = enroll(tx, 1000).await?;
                tasks::insert(tx, &task(100_000, node)).await
            })
        });
        late.await.unwrap();
        let mut tallies = Tallies::default();
        while let Some(part) = source.next().await.unwrap() {
            tallies.add(&part);
        }
        let tallies = tallies.finish();
        assert_eq!((tallies["nodes"].rows, tallies["tasks"].rows), (40, 200));
        assert_eq!(source.remembers("a").await.unwrap().as_deref(), Some("\u{1}\"\\ größer\n"));
        // What reads keeps SQLite's log from being cut back.
        drop(source);
        store.close().await;
    }
}

#[tokio::test]
async fn only_an_empty_place_is_filled_and_only_a_store_is_read() {
    let (locations, folder) = places().await;
    for location in &locations {
        fill(location).await.close().await;
        let refused = Target::make(location, newest_schema(), NOW).await;
        assert!(matches!(refused, Err(OpenError::NotEmpty { .. })), "{refused:?}");
    }
    let (empty, _other) = places().await;
    assert!(matches!(Source::open(&empty[1], Hold::Moment).await, Err(OpenError::NoStore)));
    assert!(Source::open(&empty[0], Hold::Moment).await.is_err(), "and no file is made");
    assert!(!matches!(&empty[0], Location::Sqlite(file) if file.exists()));
    drop(folder);
}

#[tokio::test]
async fn a_copy_that_is_given_up_leaves_an_empty_database() {
    let (locations, _folder) = places().await;
    let Location::Postgres(_) = &locations[1] else { panic!("PostgreSQL is the second") };
    let mut target = Target::make(&locations[1], newest_schema(), NOW).await.unwrap();
    target.load("meta", b"[\"k\",\"v\"]\n").await.unwrap();
    assert!(target.load("meta", b"[\"k\"]\n").await.is_err(), "a line of another width");
    drop(target);
    let again = Target::make(&locations[1], newest_schema(), NOW).await.unwrap();
    again.finish().await.unwrap();
}

#[tokio::test]
async fn a_database_that_somebody_uses_is_not_copied() {
    let (locations, _folder) = places().await;
    let store = fill(&locations[1]).await;
    let refused = Source::open(&locations[1], Hold::Still).await;
    assert!(matches!(refused, Err(OpenError::InUse { others: 1.., .. })), "{refused:?}");
    store.close().await;
}

#[tokio::test]
async fn what_an_upgrade_would_do_is_seen_and_nothing_is_changed() {
    let (locations, _folder) = places().await;
    for location in &locations {
        let nothing = Schema::of(location).await.unwrap();
        let last = nothing.pending.last().map(|step| step.version);
        assert_eq!((nothing.database, nothing.pending[0].version, last), (None, 1, Some(newest_schema())));
        let old = Target::make(location, 3, NOW).await.unwrap();
        old.finish().await.unwrap();
        for _ in 0..2 {
            let schema = Schema::of(location).await.unwrap();
            assert_eq!((schema.database, schema.program), (Some(3), newest_schema()));
            assert_eq!(schema.pending.first().map(|step| step.version), Some(4));
            assert!(schema.lets_this_program_in() && schema.lets_the_former_stay());
        }
        open(location).await.close().await;
        let schema = Schema::of(location).await.unwrap();
        assert_eq!((schema.database, schema.pending.len()), (Some(newest_schema()), 0));
    }
}
