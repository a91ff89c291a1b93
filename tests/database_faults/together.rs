//! Submissions that come at the same moment share a transaction. Each gets its own outcome all the same.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode;
use stories::{Engine, Scene};

use crate::place::{behind_a_net, server, task, tasks};

/// Makes the database refuse every task whose payload has this number in it, as a full tablespace or a trigger of the
/// operator's might.
const REFUSE_666: &str = "
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not this one'; end $$;
    create trigger refuse before insert on tasks for each row when (new.payload like '%666%')
        execute function refuse()";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_that_cannot_be_written_does_not_spoil_its_neighbours() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, url) = behind_a_net(&scene).await;
    let hub = plan.start().await;
    let _node = hub.hand_node("north").await;
    server(&scene).sql(&url, REFUSE_666);
    // So many wait while the first ones are written.
    net.be_late(Duration::from_millis(5));
    let answers = join_all((0..40).map(async |number: u32| {
        let ms = if number.is_multiple_of(4) { 666 } else { number };
        let sleep = json!({ "type": "sleep", "node": "north", "payload": { "ms": ms } });
        (ms, hub.request(Method::POST, "/api/v1/tasks").json(&sleep).send().await)
    }));
    let mut ids = BTreeSet::new();
    for (ms, answer) in answers.await {
        if ms == 666 {
            answer.is_problem(ProblemCode::Internal, None);
        } else {
            assert_eq!(answer.status, 201, "{answer:?}");
            ids.insert(answer.json()["id"].as_str().expect("a task has an id").to_owned());
        }
    }
    assert_eq!(ids.len(), 30);
    let kept: BTreeSet<String> = server(&scene).sql(&url, "select id from tasks").into_iter().collect();
    assert_eq!(kept, ids);
    let told = server(&scene).sql(&url, "select count(distinct task) from events where kind = 'task.submitted'");
    assert_eq!(told, ["30"], "and each is told once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_repetitions_at_the_same_moment_one_counts_and_all_get_its_answer() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, url) = behind_a_net(&scene).await;
    let hub = plan.start().await;
    let _node = hub.hand_node("north").await;
    net.be_late(Duration::from_millis(5));
    let answers = join_all((0..40).map(async |number: u32| {
        let request = hub.request(Method::POST, "/api/v1/tasks").json(&task("north"));
        let answer = request.header("idempotency-key", &format!("key-{}", number % 4)).send().await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().expect("a task has an id").to_owned()
    }));
    let ids: BTreeSet<String> = answers.await.into_iter().collect();
    assert_eq!((ids.len(), tasks(server(&scene), &url)), (4, 4));
}
