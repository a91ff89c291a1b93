//! What a balancer is told: `/readyz` says no while requests should go elsewhere, `/healthz` that the process lives.

use std::time::Duration;

use http::Method;
use rustix::process::Signal;
use serde_json::json;
use stories::{Engine, RunningHub, Scene, on_sqlite, until};

on_sqlite!(
    a_hub_that_is_asked_to_stop_says_so_first_and_serves_on,
    a_hub_whose_store_cannot_be_written_is_not_ready,
    a_hub_whose_keys_are_gone_is_not_ready,
    however_many_ask_the_store_is_written_no_oftener_than_once_a_second,
);

async fn becomes(hub: &RunningHub<'_>, status: u16, line: &str) {
    until(&format!("/readyz says {line:?}"), async || {
        (hub.operations("/readyz").await == (status, line.to_owned())).then_some(())
    })
    .await;
    assert_eq!(hub.operations("/healthz").await, (200, "ok\n".to_owned()), "it is alive all the same");
}

async fn a_hub_that_is_asked_to_stop_says_so_first_and_serves_on(scene: Scene) {
    let mut hub = scene.hub().setting("drain_s", 3600).start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    becomes(&hub, 200, "ready\n").await;
    let whoami = hub.request(Method::GET, "/api/v1/whoami");
    assert!(whoami.clone().send().await.headers.get("connection").is_none());
    hub.process().signal(Signal::TERM);
    becomes(&hub, 503, "stopping\n").await;
    let answer = whoami.send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["connection"], "close", "a proxy keeps no connection to it");
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed", "agents are served too");
    hub.process().signal(Signal::TERM);
    assert_eq!(hub.process().end().await.code(), Some(1), "asked twice, it ends at once");
}

async fn a_hub_whose_store_cannot_be_written_is_not_ready(scene: Scene) {
    let hub = scene.hub().start().await;
    becomes(&hub, 200, "ready\n").await;
    let other = rusqlite::Connection::open(hub.data().join("sortie.db")).unwrap();
    other.busy_timeout(Duration::from_secs(10)).unwrap();
    other.execute_batch("begin immediate").unwrap();
    becomes(&hub, 503, "the store cannot be written\n").await;
    assert_eq!(hub.people().whoami().await.unwrap().name, "admin", "what only reads is served");
    other.execute_batch("rollback").unwrap();
    becomes(&hub, 200, "ready\n").await;
}

async fn a_hub_whose_keys_are_gone_is_not_ready(scene: Scene) {
    let hub = scene.hub().start().await;
    becomes(&hub, 200, "ready\n").await;
    let (keys, away) = (hub.data().join("keys"), hub.data().join("away"));
    std::fs::rename(&keys, &away).unwrap();
    becomes(&hub, 503, "the hub's keys are missing\n").await;
    std::fs::rename(&away, &keys).unwrap();
    becomes(&hub, 200, "ready\n").await;
}

async fn however_many_ask_the_store_is_written_no_oftener_than_once_a_second(scene: Scene) {
    let hub = scene.hub().start().await;
    becomes(&hub, 200, "ready\n").await;
    let written = || hub.plan().sql("select value from meta where key = 'ready_at'");
    let first: i64 = written()[0].parse().unwrap();
    let next: i64 = until("it is written again", async || {
        hub.operations("/readyz").await;
        let now = written()[0].parse().unwrap();
        (now != first).then_some(now)
    })
    .await;
    assert!(next - first >= 900, "{first} then {next}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_whose_server_takes_only_reads_is_not_ready() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    becomes(&hub, 200, "ready\n").await;
    let (server, url) = (scene.postgres().unwrap(), hub.plan().setting_of("database_url").unwrap());
    let name = url.rsplit('/').next().unwrap();
    let read_only = |yes: &str| {
        server.sql(&server.url(), &format!("alter database {name} set default_transaction_read_only = {yes}"));
        let others = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
        server.sql(&server.url(), &others);
    };
    read_only("on");
    becomes(&hub, 503, "the store cannot be written\n").await;
    read_only("off");
    becomes(&hub, 200, "ready\n").await;
}
