//! How fast the hot path is: submits, claims and finishes tasks from many callers at once.
//!
//! `cargo run --profile fast -p sortie-store --example hot -- [callers] [tasks] [nodes] [folder | postgres://…]`

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use sortie_rules::ids::{DEFAULT_ORG, Id, NodeId, TaskId};
use sortie_rules::liveness::Presence;
use sortie_rules::tasks::{State, Task, claim};
use sortie_rules::time::{Millis, Span};
use sortie_store::events::{self, NewEvent};
use sortie_store::nodes::{self, NodeRow};
use sortie_store::orgs::{self, OrgRow};
use sortie_store::tasks::{self, Stamps, TaskRow};
use sortie_store::{Location, Options, Store, StoreError};
use uuid::Uuid;

const NOW: Millis = Millis(1_790_000_000_000);

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example speaks to the terminal")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| arguments.next().map_or(default, |text| text.parse().expect("a number"));
    let (callers, count, nodes) = (number(512), number(300_000), number(1000));
    let place = arguments.next();
    let folder = tempfile::tempdir_in(place.as_deref().filter(|at| !at.contains("://")).unwrap_or("."));
    let folder = folder.expect("a folder for the database");
    let location = match place {
        Some(url) if url.contains("://") => Location::Postgres(url),
        _ => Location::Sqlite(PathBuf::from(folder.path()).join("hub.sqlite")),
    };
    let store = Store::open(Options { location, readers: 8, now: NOW }).await.expect("it opens");
    fleet(&store, nodes).await;

    println!("{callers} callers, {count} tasks, {nodes} nodes, {}", store.engine());
    for (what, verb) in [("submit", Verb::Submit), ("claim", Verb::Claim), ("finish", Verb::Finish)] {
        let begun = Instant::now();
        run(&store, verb, callers, count, nodes).await;
        let seconds = begun.elapsed().as_secs_f64();
        println!("{what:>8} {:>9.0}/s", count as f64 / seconds);
    }
    let begun = Instant::now();
    run(&store, Verb::Submit, 1, 2000, nodes).await;
    println!("   alone {:>9.0}/s", 2000.0 / begun.elapsed().as_secs_f64());
    store.close().await;
}

#[derive(Clone, Copy)]
enum Verb {
    Submit,
    Claim,
    Finish,
}

fn node_id(number: usize) -> NodeId {
    Id::from_uuid(Uuid::from_u128((number as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)))
}

/// Grows with the number, as ids that are made one after the other do.
fn task_id(number: usize) -> TaskId {
    Id::from_uuid(Uuid::from_u128(0x019A_0000_0000_7000_8000_0000_0000_0000 + ((number as u128) << 50)))
}

fn task(number: usize, nodes: usize) -> TaskRow {
    TaskRow {
        id: task_id(number),
        org: DEFAULT_ORG,
        node: node_id(number.wrapping_mul(7919) % nodes),
        type_name: "sys.info".into(),
        priority: 0,
        payload: format!(r#"{{"number":{number},"text":"{}"}}"#, "x".repeat(60)),
        idempotent: true,
        submitted_by: "token:0198".into(),
        submitted_at: NOW,
        traceparent: None,
        life: Task::submitted(3, Span::seconds(60), None, None),
        delivery: 0,
        claimed_at: None,
        finished_at: None,
        message: None,
        result: None,
        result_digest: None,
    }
}

async fn run(store: &Store, verb: Verb, callers: usize, count: usize, nodes: usize) {
    // A lone caller at the end submits above what stands.
    let next = Arc::new(AtomicUsize::new(if callers == 1 { 10_000_000 } else { 0 }));
    let end = next.load(Ordering::Relaxed) + count;
    let callers = (0..callers).map(|_| {
        let (store, next) = (store.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    return;
                }
                one(&store, verb, task(number, nodes)).await.expect("the store works");
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("a caller ends well");
    }
}

async fn one(store: &Store, verb: Verb, row: TaskRow) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let held = claim(&row.life, NOW).expect("it can be claimed");
                let kind = match verb {
                    Verb::Submit => {
                        tasks::insert(tx, &row).await?;
                        "task.submitted"
                    }
                    Verb::Claim => {
                        assert!(tasks::claim(tx, row.id, &row.life, &held, 1, NOW).await?);
                        return Ok(());
                    }
                    Verb::Finish => {
                        let life = tasks::get_life(tx, row.id).await?.expect("it is there").life;
                        let ended = Task { state: State::Completed, ..life.clone() };
                        let stamps = Stamps {
                            finished_at: Some(NOW),
                            result: Some(r#"{"ok":true}"#),
                            result_digest: Some(&[7; 32]),
                            ..Stamps::default()
                        };
                        assert!(tasks::update(tx, row.id, &life, &ended, &stamps).await?);
                        "task.completed"
                    }
                };
                let event = NewEvent {
                    org: row.org,
                    at: NOW,
                    kind,
                    node: Some(row.node),
                    task: Some(row.id),
                    actor: &row.submitted_by,
                    data: r#"{"type":"sys.info"}"#,
                };
                events::insert(tx, &event).await
            })
        })
        .await
}

async fn fleet(store: &Store, nodes: usize) {
    let made = store.write(move |tx| {
        Box::pin(async move {
            orgs::insert(tx, &OrgRow { id: DEFAULT_ORG, name: "default".into(), created_at: NOW }).await?;
            for number in 0..nodes {
                let node = NodeRow {
                    id: node_id(number),
                    org: DEFAULT_ORG,
                    name: format!("node-{number}"),
                    site: None,
                    kind: "host".into(),
                    labels: Default::default(),
                    key_fingerprint: format!("key-{number}"),
                    certificate_until: NOW,
                    enrolled_at: NOW,
                    revoked_at: None,
                    presence: Presence::New,
                    presence_at: NOW,
                    heard_at: None,
                    silent_since: NOW,
                    delivered: 0,
                    acknowledged: 0,
                    facts: None,
                    stale_after: None,
                    down_after: None,
                };
                nodes::insert(tx, &node).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    made.await.expect("the fleet enrols");
}
