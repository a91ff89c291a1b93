//! A line that is lost at the worst moment: what may have been kept is never said to be refused, what surely was
//! not is done again, and a repetition finds what the first one did.

use serde_json::json;
use sortie_wire::problem::ProblemCode;
use stories::{Engine, HandNode, Net, RunningHub, Scene};

use crate::place::{behind_a_net, ready, server, submit_once, task, tasks};

/// How the server acknowledges a commit.
const COMMITTED: &str = "COMMIT\0";

/// Submits tasks, each time losing the answer to the next commit, until it was that of a task. Returns how many were
/// acknowledged before.
async fn until_one_is_unknown(hub: &RunningHub<'_>, net: &Net) -> usize {
    for acknowledged in 0.. {
        net.lose_answer(COMMITTED);
        let answer = submit_once(hub, "north").await;
        if answer.status != 201 {
            answer.is_problem(ProblemCode::OutcomeUnknown, None);
            assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
            return acknowledged;
        }
    }
    unreachable!("there is no last number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_task_whose_commit_has_no_answer_is_not_said_to_be_refused() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, url) = behind_a_net(&scene).await;
    let hub = plan.start().await;
    let _node = hub.hand_node("north").await;
    let acknowledged = until_one_is_unknown(&hub, &net).await;
    assert_eq!(tasks(server(&scene), &url), acknowledged + 1, "it was kept, once: it is not tried again by itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_repetition_under_the_same_key_finds_the_task_whose_commit_had_no_answer() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, url) = behind_a_net(&scene).await;
    let hub = plan.start().await;
    let _node = hub.hand_node("north").await;
    for number in 0..20 {
        net.lose_answer(COMMITTED);
        let key = format!("key-{number}");
        let submit = || {
            let request = hub.request(http::Method::POST, "/api/v1/tasks").json(&task("north"));
            request.header("idempotency-key", &key).send()
        };
        let first = submit().await;
        if first.status == 201 {
            assert_eq!(submit().await.json()["id"], first.json()["id"]);
        } else {
            first.is_problem(ProblemCode::OutcomeUnknown, None);
            ready(&hub, true).await;
            let second = submit().await;
            assert_eq!(second.status, 201, "{second:?}");
            let known = format!("select count(*) from tasks where id = '{}'", second.json()["id"].as_str().unwrap());
            assert_eq!(server(&scene).sql(&url, &known), ["1"]);
        }
        assert_eq!(tasks(server(&scene), &url), number + 1, "one task for each key");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_task_that_was_handed_out_by_a_commit_without_an_answer_reaches_its_agent_once() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, url) = behind_a_net(&scene).await;
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    assert!(node.wait(1, 0).await.tasks.is_empty());
    let mut taken = Vec::new();
    let submitted = async {
        let acknowledged = until_one_is_unknown(&hub, &net).await;
        ready(&hub, true).await;
        acknowledged + 1
    };
    tokio::pin!(submitted);
    let many = loop {
        tokio::select! {
            many = &mut submitted => break many,
            tasks = take(&node) => taken.extend(tasks),
        }
    };
    while taken.len() < many {
        taken.extend(take(&node).await);
    }
    let mut ids: Vec<_> = taken.iter().map(|task| task.id.to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), many, "each came once: {taken:?}");
    assert!(taken.iter().all(|task| task.attempt == 1), "and none had to lapse: {taken:?}");
    for task in &taken {
        let receipt = node.report(&HandNode::completed(task, json!({}))).await.expect("a result is taken");
        assert!(receipt.refused.is_none(), "{receipt:?}");
    }
    assert_eq!(server(&scene).sql(&url, "select count(*) from tasks where attempt <> 1"), ["0"]);
}

/// What one wait brings; a wait that the trouble hits is asked again.
async fn take(node: &HandNode) -> Vec<sortie_wire::deliveries::HandedTask> {
    node.wait_if_answered(10, 1).await.map_or_else(Vec::new, |delivery| delivery.tasks)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_line_that_is_lost_before_the_commit_is_not_noticed_by_anybody() {
    let scene = Scene::new(Engine::Postgres);
    let (plan, net, url) = behind_a_net(&scene).await;
    let hub = plan.start().await;
    let _node = hub.hand_node("north").await;
    // Each of these comes while a transaction is under way, of a request or of the hub's own work.
    for (number, answer) in ["BEGIN\0", "INSERT 0 1\0", "BEGIN\0", "INSERT 0 1\0"].into_iter().enumerate() {
        net.lose_answer(answer);
        let mut submitted = 0;
        while net.has_answer_to_lose() || submitted == 0 {
            let answer = submit_once(&hub, "north").await;
            // Once in a while the entry for the audit log travels with the commit, and the commit is lost with it.
            if answer.status != 201 {
                answer.is_problem(ProblemCode::OutcomeUnknown, None);
            }
            submitted += 1;
        }
        assert!(tasks(server(&scene), &url) > number);
    }
}
