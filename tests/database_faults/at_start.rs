//! A hub whose database is away when it starts: it waits, as long as it is told to, and says so once.

use serde_json::json;
use stories::{Engine, Scene, until};

use crate::place::{behind_a_net, server};

/// How the hub says that it waits.
const WAITS: &str = "The database is away";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_that_starts_before_its_database_waits_for_it_and_says_so_once() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, _) = behind_a_net(&scene).await;
    net.refuse();
    let (hub, ()) = tokio::join!(plan.start(), async {
        until("the hub has tried more than once", async || (net.refused() >= 3).then_some(())).await;
        net.mend();
    });
    let log = hub.log();
    assert_eq!(log.matches(WAITS).count(), 1, "it is said once: {log}");
    assert!(log.contains("The database is there"), "{log}");
    assert!(!log.contains("postgres://"), "nothing of the address but where it is: {log}");
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(node.take_one().await.id, id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_waits_no_longer_than_it_may_and_says_what_is_missing() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, _) = behind_a_net(&scene).await;
    net.refuse();
    for (wait_s, said) in [("0", 0), ("1", 1)] {
        let mut process = plan.clone().setting("database.start_wait_s", wait_s).launch();
        assert_eq!(process.end().await.code(), Some(1));
        let log = process.log();
        assert_eq!(log.matches(WAITS).count(), said, "{log}");
        assert!(log.contains("cannot be opened") && log.contains("127.0.0.1"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_no_waiting_mends_is_said_at_once() {
    let scene = Scene::new(Engine::Postgres);
    let url = server(&scene).fresh_database();
    let nowhere = format!("{}/nowhere", url.rsplit_once('/').expect("it names a database").0);
    server(&scene).sql(&url, "create role stranger nologin");
    let stranger = url.replace("postgres@", "stranger@");
    for (name, address, why) in [("one", nowhere, "does not exist"), ("other", stranger, "not permitted to log in")] {
        let mut process = scene.hub_named(name).setting("database_url", address).launch();
        assert_eq!(process.end().await.code(), Some(1));
        let log = process.log();
        assert!(log.contains(why) && !log.contains(WAITS), "{log}");
    }
}
