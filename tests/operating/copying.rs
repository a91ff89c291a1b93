//! Moving a store from SQLite to PostgreSQL and back: nothing is lost, and nobody writes meanwhile.

use serde_json::{Value, json};
use sortie_rules::ids::TaskId;
use sortie_wire::hub_keys::{FinishKeys, Rotatable, RotateKeys};
use stories::{Ended, Engine, HubPlan, Program, RunningHub, Scene, until};

use crate::setup::{embedded, place};

fn copy(from: &str, to: &str) -> Ended {
    Program::Sortie.run(["store", "copy", "--json", "--from", from, "--to", to])
}

/// A hub on SQLite with some history, in a story that has a server too.
async fn with_history(scene: &Scene) -> (RunningHub<'_>, stories::Site<'_>, TaskId) {
    let hub = embedded(&scene.hub()).start().await;
    let site = hub.site("north").await;
    let agent = site.start();
    for _ in 0..3 {
        let id = hub.submit("north", "sys.info", json!({})).await;
        hub.ended(id).await;
    }
    agent.stop().await;
    let waiting = hub.submit("north", "sys.info", json!({})).await;
    (hub, site, waiting)
}

/// What people see of it.
async fn seen(hub: &RunningHub<'_>) -> Value {
    let tasks = hub.sortie_json(&["task", "list"]);
    let events: Vec<_> = hub.events("task").await.iter().map(|event| (event.number, event.kind.clone())).collect();
    json!({ "tasks": tasks, "events": events, "node": hub.people().node("north").await.expect("it is there").id })
}

fn proves(hub: &RunningHub<'_>, file: &str) {
    let export = hub.scene().folder().join(file);
    hub.sortie(&["audit", "export", "--out", export.to_str().unwrap()]).well();
    Ended::of(Program::Sortie.command().args(["audit", "verify"]).arg(&export)).well();
}

/// A rotation of the delivery key, from its beginning to its end; the key set is this one then.
async fn rotated(hub: &RunningHub<'_>, version: u64) {
    let rotate = RotateKeys { what: Rotatable::Delivery, at_once: true, from: version - 2 };
    hub.people().rotate_keys(&rotate).await.expect("an administrator may");
    until("nobody lags", async || (hub.people().hub_keys().await.ok()?.lagging == 0).then_some(())).await;
    let finish = FinishKeys { from: version - 1, force: false };
    assert_eq!(hub.people().finish_keys(&finish).await.expect("nobody lags").version, version);
}

fn rows(told: &Value, table: &str) -> u64 {
    let tables = told["tables"].as_array().expect("a list of tables");
    tables.iter().find(|one| one["name"] == table).and_then(|one| one["rows"].as_u64()).unwrap_or_default()
}

fn on_server<'s>(plan: &HubPlan<'s>, scene: &Scene) -> HubPlan<'s> {
    plan.clone().setting("database_url", scene.postgres().unwrap().fresh_database())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_moves_to_the_server_and_back_with_all_that_it_knows() {
    let scene = Scene::new(Engine::Postgres);
    let (hub, site, waiting) = with_history(&scene).await;
    let before = seen(&hub).await;
    let (small, _) = hub.stop().await;
    let large = on_server(&small, &scene);
    let told = copy(&place(&small), &place(&large)).well().json();
    assert_eq!((&told["from"], &told["to"], rows(&told, "tasks")), (&json!("sqlite"), &json!("postgres"), 4));
    let hub = large.start().await;
    assert_eq!(seen(&hub).await, before, "numbers of events and all");
    proves(&hub, "server.ndjson");
    let agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    for id in [waiting, id] {
        assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    }
    rotated(&hub, 3).await;
    agent.stop().await;
    let on_the_server = seen(&hub).await;
    let (large, _) = hub.stop().await;

    copy(&place(&large), &place(&small)).failed(2, &["holds a hub already", "sortie.db"]);
    for name in ["sortie.db", "sortie.db-wal", "sortie.db-shm"] {
        let _gone = std::fs::remove_file(small.data().join(name));
    }
    // What a copy that was killed has left stands in nobody's way.
    std::fs::write(small.data().join("sortie.db.copying"), "half").unwrap();
    let told = copy(&place(&large), &place(&small)).well().json();
    assert_eq!((&told["to"], rows(&told, "tasks")), (&json!("sqlite"), 5));
    assert!(!small.data().join("sortie.db.copying").exists());
    let hub = small.start().await;
    assert_eq!(seen(&hub).await, on_the_server);
    proves(&hub, "back.ndjson");
    let agent = site.start();
    rotated(&hub, 5).await;
    agent.stop().await;

    // And over once more: the keys that are newest go along each time, whatever lies at the other place.
    let (small, _) = hub.stop().await;
    let again = on_server(&small, &scene);
    copy(&place(&small), &place(&again)).well();
    let hub = again.start().await;
    let _agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
    assert_eq!(hub.people().hub_keys().await.expect("an administrator may look").version, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_that_comes_back_without_its_master_key_says_what_it_needs() {
    let scene = Scene::new(Engine::Postgres);
    let (large, _) = scene.hub().start().await.stop().await;
    let small = embedded(&scene.hub_named("small"));
    std::fs::create_dir(small.data()).unwrap();
    copy(&place(&large), &place(&small)).well();
    let mut without = small.command();
    without.env_remove("SORTIE_HUB_MASTER_KEY_FILE");
    Ended::of(&mut without).failed(2, &["sealed with the master key", "master_key_file"]);
    let mut named = small.launch();
    until("it serves", async || std::fs::read_to_string(small.data().join("ca.pem")).ok().map(drop)).await;
    assert!(named.ended().is_none());
    assert!(small.data().join("keys/ring.json").exists(), "from now on they are here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_store_in_use_and_a_place_that_is_not_empty_are_refused() {
    let scene = Scene::new(Engine::Postgres);
    let (hub, _site, _) = with_history(&scene).await;
    let target = on_server(hub.plan(), &scene);
    copy(&place(hub.plan()), &place(&target)).failed(2, &["another hub runs on the data folder"]);
    let (small, _) = hub.stop().await;
    let other = scene.hub_named("other").start().await;
    copy(&place(other.plan()), &scene.folder().join("new").display().to_string())
        .failed(2, &["is in use", "Stop every hub on it first"]);
    copy(&place(&small), &place(other.plan())).failed(2, &["is not empty"]);
    copy("/nowhere", &place(&target)).failed(2, &["holds no store of a hub"]);
    copy(&place(&small), "mysql://there").failed(2, &["postgres://"]);
    copy(&place(&target), &scene.folder().join("other-new").display().to_string())
        .failed(2, &["there is no store of a hub there"]);
    copy(&place(&small), &place(&small)).failed(1, &["onto itself"]);
    assert!(!std::path::Path::new("/nowhere").exists());
    // None of it has touched either.
    assert_eq!(rows(&copy(&place(&small), &place(&target)).well().json(), "tasks"), 4);
    assert_eq!(small.start().await.sortie_json(&["task", "list"])["items"].as_array().map(Vec::len), Some(4));
}
