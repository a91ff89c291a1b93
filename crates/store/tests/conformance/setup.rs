//! Databases for stories, and rows to fill them with.

use std::collections::BTreeMap;

use counterparts::Postgres;
use sortie_rules::ids::{DEFAULT_ORG, Id, NodeId, OrgId, TaskId};
use sortie_rules::liveness::Presence;
use sortie_rules::tasks::Task;
use sortie_rules::time::{Millis, Span};
use sortie_store::nodes::NodeRow;
use sortie_store::orgs::OrgRow;
use sortie_store::tasks::TaskRow;
use sortie_store::{BoxFuture, Location, Options, Store, StoreError, Tx, nodes, orgs};
use tempfile::TempDir;
use uuid::Uuid;

/// When the stories play.
pub(crate) const NOW: Millis = Millis(1_790_000_000_000);
/// An org beside [`DEFAULT_ORG`] that must see nothing of it.
pub(crate) const OTHER_ORG: OrgId = Id::from_uuid(Uuid::from_u128(0x7000_8000_0000_0000_0002));

/// A story about tables, as a value.
pub(crate) type Story = for<'t> fn(&'t mut Tx) -> BoxFuture<'t, Result<(), StoreError>>;

/// Runs each story on both engines. A story is `async fn(&mut Tx) -> Result<(), StoreError>`. `STORIES` has
/// them all, for [`crate::plans`].
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        pub(crate) const STORIES: &[crate::setup::Story] = &[$(|tx| Box::pin($story(tx))),+];
        mod on_sqlite {
            $(#[tokio::test]
            async fn $story() {
                let (store, _folder) = crate::setup::sqlite().await;
                store.write(|tx| Box::pin(super::$story(tx))).await.unwrap();
                store.close().await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $story() {
                let store = crate::setup::postgres().await;
                store.write(|tx| Box::pin(super::$story(tx))).await.unwrap();
                store.close().await;
            })+
        }
    };
}
pub(crate) use stories;

/// Runs each story on both engines. A story is `async fn(Store)`.
macro_rules! store_stories {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $story() {
                let (store, _folder) = crate::setup::sqlite().await;
                super::$story(store.clone()).await;
                store.close().await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $story() {
                let store = crate::setup::postgres().await;
                super::$story(store.clone()).await;
                store.close().await;
            })+
        }
    };
}
pub(crate) use store_stories;

/// An SQLite database with both orgs; its folder goes when the second is dropped.
pub(crate) async fn sqlite() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(Location::Sqlite(folder.path().join("hub.sqlite"))).await;
    (store, folder)
}

/// A PostgreSQL database with both orgs, on the server that all stories share.
pub(crate) async fn postgres() -> Store {
    let url = tokio::task::spawn_blocking(|| Postgres::shared().fresh_database()).await.unwrap();
    open(Location::Postgres(url)).await
}

async fn open(location: Location) -> Store {
    let store = Store::open(Options { location, readers: 4, now: NOW }).await.unwrap();
    store
        .write(|tx| {
            Box::pin(async move {
                for (id, name) in [(DEFAULT_ORG, "default"), (OTHER_ORG, "other")] {
                    orgs::insert(tx, &OrgRow { id, name: name.into(), created_at: NOW }).await?;
                }
                Ok::<_, StoreError>(())
            })
        })
        .await
        .unwrap();
    store
}

/// An id that sorts by `number`.
pub(crate) fn id<K>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A node that has just enrolled, called `node-{number}`.
pub(crate) fn node(number: u128) -> NodeRow {
    NodeRow {
        id: id(number),
        org: DEFAULT_ORG,
        name: format!("node-{number}"),
        site: None,
        host: None,
        kind: "host".into(),
        labels: BTreeMap::new(),
        key_fingerprint: format!("key-{number}"),
        certificate_until: NOW + Span::days(30),
        enrolled_at: NOW,
        revoked_at: None,
        presence: Presence::New,
        presence_at: NOW,
        heard_at: None,
        silent_since: NOW,
        delivered: 0,
        acknowledged: 0,
        proof: None,
        clock: None,
        clock_skew_ms: None,
        quarantined_at: None,
        keys_version: None,
        issued_by: None,
        facts: None,
        stale_after: None,
        down_after: None,
        standing: None,
    }
}

/// Enrols `node(number)`.
pub(crate) async fn enroll(tx: &mut Tx, number: u128) -> Result<NodeId, StoreError> {
    nodes::insert(tx, &node(number)).await?;
    Ok(id(number))
}

/// A task of [`DEFAULT_ORG`] that waits for `node`.
pub(crate) fn task(number: u128, node: NodeId) -> TaskRow {
    TaskRow {
        id: id(number),
        org: DEFAULT_ORG,
        node,
        type_name: "sys.info".into(),
        priority: 0,
        payload: "{}".into(),
        idempotent: true,
        submitted_by: "token:ci".into(),
        submitted_at: NOW,
        traceparent: None,
        job: None,
        operation: None,
        life: Task::submitted(3, Span::seconds(60), None, None),
        delivery: 0,
        claimed_at: None,
        finished_at: None,
        message: None,
        result: None,
        result_digest: None,
    }
}

/// The numbers that the ids of tasks were made from.
pub(crate) fn numbers<'a>(ids: impl IntoIterator<Item = &'a TaskId>) -> Vec<u128> {
    ids.into_iter().map(|id| id.uuid().as_u128()).collect()
}
