//! How a database is opened: migrations, newer programs, and what stands in the way.

use counterparts::Postgres;
use sortie_store::{Location, OpenError, Options, Store, StoreError, Value, Verbs};

use crate::setup::NOW;

async fn open(location: &Location) -> Result<Store, OpenError> {
    Store::open(Options { location: location.clone(), readers: 2, now: NOW }).await
}

async fn locations() -> (Vec<Location>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = tokio::task::spawn_blocking(|| Postgres::shared().fresh_database()).await.unwrap();
    (vec![Location::Sqlite(folder.path().join("hub.sqlite")), Location::Postgres(url)], folder)
}

async fn execute(store: &Store, sql: &'static str, value: i64) {
    let verb = store.write(move |tx| Box::pin(async move { tx.execute(sql, &[Value::Int(value)]).await }));
    verb.await.unwrap();
}

async fn schema(store: &Store) -> i64 {
    let verb = store.read(|tx| {
        Box::pin(async move {
            let rows = tx.query("select version, applied_at from migrations order by version", &[]).await?;
            let mut newest = rows.into_iter().last().expect("there is one").columns("migrations");
            let version = newest.int("version")?;
            assert_eq!(newest.millis("applied_at")?, NOW);
            Ok::<_, StoreError>(version)
        })
    });
    verb.await.unwrap()
}

#[tokio::test]
async fn a_database_is_migrated_once_and_opened_as_often_as_one_likes() {
    let (locations, _folder) = locations().await;
    for location in &locations {
        let first = open(location).await.unwrap();
        let version = schema(&first).await;
        // A second hub on the same database, while the first is there.
        let second = open(location).await.unwrap();
        assert_eq!(schema(&second).await, version);
        first.close().await;
        second.close().await;
    }
}

#[tokio::test]
async fn what_a_database_was_asked_is_counted() {
    let (locations, _folder) = locations().await;
    for location in &locations {
        let store = open(location).await.unwrap();
        let other = store.clone();
        assert_eq!(store.verbs(), Verbs { reads: 0, writes: 0 });
        schema(&store).await;
        execute(&other, "delete from events where number = $1", 1).await;
        execute(&store, "delete from events where number = $1", 2).await;
        assert_eq!(other.verbs(), Verbs { reads: 1, writes: 2 });
        store.close().await;
    }
}

#[tokio::test]
async fn hubs_that_start_together_migrate_one_after_the_other() {
    let (locations, _folder) = locations().await;
    for location in &locations {
        let hubs: Vec<_> = (0..4)
            .map(|_| {
                let location = location.clone();
                tokio::spawn(async move { open(&location).await })
            })
            .collect();
        for hub in hubs {
            hub.await.unwrap().unwrap().close().await;
        }
    }
}

#[tokio::test]
async fn a_database_that_needs_a_newer_program_is_left_alone() {
    let (locations, _folder) = locations().await;
    for location in &locations {
        let store = open(location).await.unwrap();
        let known = schema(&store).await;
        let newer = known + 2;
        execute(&store, "insert into migrations (version, name, applied_at) values ($1, 'later', 0)", newer).await;
        execute(
            &store,
            "update meta set value = cast(cast($1 as bigint) as text) where key = 'oldest_program_schema'",
            known,
        )
        .await;
        store.close().await;
        // It has grown, but in a way that this program can live with.
        let store = open(location).await.unwrap();
        execute(
            &store,
            "update meta set value = cast(cast($1 as bigint) as text) where key = 'oldest_program_schema'",
            known + 1,
        )
        .await;
        store.close().await;
        match open(location).await {
            Err(OpenError::DatabaseNewer { database_schema, program_schema, oldest_program }) => {
                assert_eq!((database_schema, program_schema, oldest_program), (newer, known, known + 1));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_schema_of_its_own_is_chosen_in_the_url() {
    let url = tokio::task::spawn_blocking(|| Postgres::shared().fresh_database()).await.unwrap();
    let public = open(&Location::Postgres(url.clone())).await.unwrap();
    let made = public.write(|tx| Box::pin(async move { tx.execute("create schema sortie", &[]).await }));
    made.await.unwrap();
    execute(&public, "insert into orgs (id, name, created_at) values ('x', 'x', $1)", 1).await;
    let own = open(&Location::Postgres(format!("{url}?options=-c%20search_path%3Dsortie"))).await.unwrap();
    let orgs = own.read(|tx| Box::pin(async move { tx.query("select id from orgs", &[]).await }));
    assert_eq!(orgs.await.unwrap().len(), 0);
    own.close().await;
    public.close().await;
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let no_folder = Location::Sqlite(folder.path().join("nowhere/hub.sqlite"));
    assert!(matches!(open(&no_folder).await, Err(OpenError::Unreachable { .. })));
    let no_database = folder.path().join("letter.sqlite");
    std::fs::write(&no_database, "Dear reader, this is not a database but a letter of some length.").unwrap();
    assert!(matches!(open(&Location::Sqlite(no_database)).await, Err(OpenError::Unreachable { .. })));
    let nobody = Location::Postgres("postgres://u:secret@127.0.0.1:1/d".into());
    let refused = open(&nobody).await.unwrap_err();
    assert!(matches!(refused, OpenError::Unreachable { .. }));
    assert!(!refused.to_string().contains("secret"));
    let no_url = Location::Postgres("postgres://h:port/".into());
    assert!(matches!(open(&no_url).await, Err(OpenError::Location { .. })));
    let no_file = Location::Postgres("postgres://h/d?sslmode=require&sslrootcert=/nowhere.pem".into());
    assert!(matches!(open(&no_file).await, Err(OpenError::Certificates { .. })));
}

#[tokio::test]
async fn a_server_that_goes_away_is_unavailable() {
    let server = tokio::task::spawn_blocking(Postgres::start).await.unwrap();
    let store = open(&Location::Postgres(server.fresh_database())).await.unwrap();
    tokio::task::spawn_blocking(move || drop(server)).await.unwrap();
    for _ in 0..3 {
        let verb = store.write(|tx| Box::pin(async move { tx.execute("delete from events", &[]).await }));
        assert!(matches!(verb.await, Err(StoreError::Unavailable { .. })));
    }
    store.close().await;
}
