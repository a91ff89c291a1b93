//! A server that has fewer connections than the hub would like: it goes on with those that it gets.

use futures_util::future::join_all;
use sortie_wire::problem::ProblemCode;
use stories::{Engine, Scene, until};

use crate::place::{ready, server, submit_once};

/// A database of a user who may have so many connections.
fn database_of_few(scene: &Scene, many: u32) -> String {
    let url = server(scene).fresh_database();
    let name = url.rsplit('/').next().expect("it names a database");
    server(scene).sql(&url, &format!("create role few login connection limit {many}"));
    server(scene).sql(&url, &format!("alter database {name} owner to few"));
    url.replace("postgres@", "few@")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_that_gets_fewer_connections_than_it_may_have_goes_on_with_those() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().setting("database_url", database_of_few(&scene, 2)).start().await;
    let _node = hub.hand_node("north").await;
    let answers = join_all((0..40).map(|_| submit_once(&hub, "north"))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, vec![201; 40], "nobody is sent away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_hub_without_any_connection_puts_requests_off_until_there_is_one() {
    let scene = Scene::new(Engine::Postgres);
    let url = database_of_few(&scene, 20);
    let hub = scene.hub().setting("database_url", &url).setting("database.connection_wait_s", 1).start().await;
    let _node = hub.hand_node("north").await;
    let admin = url.replace("few@", "postgres@");
    server(&scene).sql(&admin, "alter role few connection limit 0");
    until("the hub has no connection", async || {
        // Whatever it has made in the meantime.
        server(&scene).sql(&admin, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'few'");
        (hub.operations("/readyz").await.0 == 503).then_some(())
    })
    .await;
    let refused = submit_once(&hub, "north").await;
    refused.is_problem(ProblemCode::StorageUnavailable, None);
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    server(&scene).sql(&admin, "alter role few connection limit 20");
    ready(&hub, true).await;
    assert_eq!(submit_once(&hub, "north").await.status, 201);
}
