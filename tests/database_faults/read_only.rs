//! A database that takes no writes for a while: what can be read is served, what cannot be kept is put off.

use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode;
use stories::{Engine, Scene, until};

use crate::place::{server, submit_once, tasks};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_database_that_is_read_only_is_read_and_writes_are_put_off() {
    let scene = Scene::new(Engine::Postgres);
    let url = server(&scene).fresh_database();
    let name = url.rsplit('/').next().expect("it names a database");
    let hub = scene.hub().setting("database_url", &url).start().await;
    let node = hub.hand_node("north").await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    // From another database: in this one nothing can be changed then, not even back.
    let aside = server(&scene).url();
    server(&scene).sql(&aside, &format!("alter database {name} set default_transaction_read_only = on"));
    // Those that are connected have not heard of it.
    let others = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    server(&scene).sql(&url, others);
    until("a write is put off", async || {
        let answer = submit_once(&hub, "north").await;
        (answer.status != 201 && answer.problem().code == ProblemCode::StorageUnavailable).then_some(())
    })
    .await;
    let kept = tasks(server(&scene), &url);
    assert_eq!(submit_once(&hub, "north").await.status, 503);
    let read = hub.request(Method::GET, &format!("/api/v1/tasks/{id}")).send().await;
    assert_eq!((read.status, read.json()["status"].as_str()), (200, Some("pending")), "{read:?}");
    assert_eq!(tasks(server(&scene), &url), kept, "nothing of the refused ones was kept");
    server(&scene).sql(&aside, &format!("alter database {name} reset all"));
    // Nobody tells the hub's connections: it finds out by itself which of them can write.
    until("writes are taken again", async || (submit_once(&hub, "north").await.status == 201).then_some(())).await;
    // A wait may still meet a connection that cannot write; it is asked again, as an agent does.
    let taken =
        until("the task is handed out", async || node.wait_if_answered(1, 1).await?.tasks.first().map(|task| task.id));
    assert_eq!(taken.await, id);
}
