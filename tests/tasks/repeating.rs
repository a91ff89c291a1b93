//! An `Idempotency-Key` makes a submission that is repeated one submission.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use sortie_wire::problem::ProblemCode::{IdempotencyKeyReused, MalformedParameter};
use stories::{Answer, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{is_refused, nap, post, traces, with};

on_both_engines!(
    a_repeated_submission_gets_the_first_answer_and_makes_one_task,
    eight_at_once_under_one_key_make_one_task,
    a_key_outlives_the_hub,
    eight_at_once_under_one_key_make_one_invite,
);
on_sqlite!(
    a_key_is_not_used_for_another_request,
    a_key_has_from_one_to_128_visible_characters,
    a_refused_submission_leaves_its_key_free,
    a_repetition_is_answered_even_when_a_new_submission_would_be_refused,
);

async fn keyed(hub: &RunningHub<'_>, path: &str, key: &str, body: &Value) -> Answer {
    hub.request(Method::POST, path).header("Idempotency-Key", key).json(body).send().await
}

async fn a_repeated_submission_gets_the_first_answer_and_makes_one_task(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let batch = json!({ "tasks": [nap("north"), nap("north")] });
    let first = keyed(&hub, "/api/v1/tasks", "one", &nap("north")).await;
    let first_batch = keyed(&hub, "/api/v1/tasks/batch", "many", &batch).await;
    assert_eq!((first.status, first_batch.status), (201, 201), "{first:?} {first_batch:?}");
    // What has become of the tasks meanwhile changes no answer.
    assert_eq!(node.wait(9, 5).await.tasks.len(), 3);
    for _ in 0..2 {
        let again = keyed(&hub, "/api/v1/tasks", "one", &nap("north")).await;
        assert_eq!((again.status, again.json()), (201, first.json()));
        let again = keyed(&hub, "/api/v1/tasks/batch", "many", &batch).await;
        assert_eq!((again.status, again.json()), (201, first_batch.json()));
    }
    assert_eq!(traces(&hub).await, (3, 6), "each was submitted once and claimed once");
}

async fn eight_at_once_under_one_key_make_one_task(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    for round in 0..5 {
        let key = format!("round {round}");
        let eight = (0..8).map(|_| {
            let request = hub.request(Method::POST, "/api/v1/tasks").header("Idempotency-Key", &key);
            tokio::spawn(request.json(&nap("north")).send())
        });
        let mut answers = BTreeSet::new();
        for sent in eight.collect::<Vec<_>>() {
            let answer = sent.await.expect("a request ends");
            assert_eq!(answer.status, 201, "{answer:?}");
            answers.insert(answer.json().to_string());
        }
        assert_eq!(answers.len(), 1, "all eight get the same answer: {answers:?}");
        assert_eq!(traces(&hub).await, (round + 1, round + 1));
    }
}

async fn eight_at_once_under_one_key_make_one_invite(scene: Scene) {
    let hub = scene.hub().start().await;
    let eight: Vec<_> = (0..8)
        .map(|_| {
            let request = hub.request(Method::POST, "/api/v1/invites").header("Idempotency-Key", "a site");
            tokio::spawn(request.json(&json!({ "node": "north" })).send())
        })
        .collect();
    let mut invites = BTreeSet::new();
    for sent in eight {
        let answer = sent.await.expect("a request ends");
        assert_eq!(answer.status, 201, "{answer:?}");
        invites.insert(answer.json()["invite"].to_string());
    }
    assert_eq!(invites.len(), 1, "all eight get the same invite");
    assert_eq!(hub.events("invite.created").await.len(), 1);
}

async fn a_key_outlives_the_hub(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let first = keyed(&hub, "/api/v1/tasks", "nightly", &nap("north")).await;
    let hub = hub.kill().await.start().await;
    let again = keyed(&hub, "/api/v1/tasks", "nightly", &nap("north")).await;
    assert_eq!((again.status, again.json()), (201, first.json()));
    assert_eq!(traces(&hub).await, (1, 1));
}

async fn a_key_is_not_used_for_another_request(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let first = keyed(&hub, "/api/v1/tasks", "k", &nap("north")).await;
    assert_eq!(first.status, 201, "{first:?}");
    let other = with(nap("north"), "payload", json!({ "ms": 1 }));
    is_refused(&keyed(&hub, "/api/v1/tasks", "k", &other).await, IdempotencyKeyReused, None);
    let batch = json!({ "tasks": [nap("north")] });
    is_refused(&keyed(&hub, "/api/v1/tasks/batch", "k", &batch).await, IdempotencyKeyReused, None);
    assert_eq!(keyed(&hub, "/api/v1/tasks", "k", &nap("north")).await.json(), first.json());
    assert_eq!(traces(&hub).await, (1, 1));
}

async fn a_key_has_from_one_to_128_visible_characters(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    for key in [String::new(), "k".repeat(129), "schlüssel".to_owned()] {
        is_refused(&keyed(&hub, "/api/v1/tasks", &key, &nap("north")).await, MalformedParameter, None);
    }
    assert_eq!(traces(&hub).await, (0, 0));
    assert_eq!(keyed(&hub, "/api/v1/tasks", &"k".repeat(128), &nap("north")).await.status, 201);
}

async fn a_refused_submission_leaves_its_key_free(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let bad = with(nap("north"), "node", json!("south"));
    assert_eq!(keyed(&hub, "/api/v1/tasks", "k", &bad).await.status, 404);
    assert_eq!(keyed(&hub, "/api/v1/tasks", "k", &nap("north")).await.status, 201);
    assert_eq!(post(&hub, "/api/v1/tasks", &nap("north")).await.status, 201, "without a key each is its own");
    assert_eq!(traces(&hub).await, (2, 2));
}

async fn a_repetition_is_answered_even_when_a_new_submission_would_be_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("north").await;
    let first = keyed(&hub, "/api/v1/tasks", "k", &nap("north")).await;
    let first_batch = keyed(&hub, "/api/v1/tasks/batch", "b", &json!({ "tasks": [nap("north")] })).await;
    hub.people().revoke_node("north").await.expect("an administrator may revoke");
    let again = keyed(&hub, "/api/v1/tasks", "k", &nap("north")).await;
    assert_eq!((again.status, again.json()), (201, first.json()), "the task is there: {again:?}");
    let again = keyed(&hub, "/api/v1/tasks/batch", "b", &json!({ "tasks": [nap("north")] })).await;
    assert_eq!((again.status, again.json()), (201, first_batch.json()), "{again:?}");
    assert_eq!(keyed(&hub, "/api/v1/tasks", "new", &nap("north")).await.status, 409);
}
