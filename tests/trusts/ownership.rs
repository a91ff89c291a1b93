//! Whose task it is, and what is no result.

use serde_json::json;
use sortie_rules::tasks::Status;
use sortie_wire::problem::ProblemCode::{FieldInvalid, NotInProgress, NotYourTask, OtherResult, UnknownTask};
use sortie_wire::trusts::AddNode;
use stories::{Scene, on_both_engines, on_sqlite};

use crate::client::{Trust, done, hub, nap};

on_both_engines!(
    a_result_of_a_foreign_or_missing_task_is_refused,
    a_key_opens_its_own_customer_s_trust_only_though_two_have_one_name,
);
on_sqlite!(
    what_was_not_handed_out_has_no_result,
    the_same_result_again_is_answered_like_the_first_and_another_is_refused,
    what_is_no_result_is_pointed_at,
    a_result_that_does_not_fit_its_type_fails_the_task,
);

const NOWHERE: &str = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";

async fn a_result_of_a_foreign_or_missing_task_is_refused(scene: Scene) {
    let hub = hub(&scene).await;
    let (north, south) = (Trust::add(&hub, "north").await, Trust::add(&hub, "south").await);
    let id = nap(&hub, "north").await;
    assert_eq!(north.taken().await, [id.to_string()]);
    assert!(south.taken().await.is_empty());
    south.report(&id.to_string(), done()).await.is_problem(NotYourTask, None);
    north.report(NOWHERE, done()).await.is_problem(UnknownTask, None);
    assert_eq!(hub.task(id).await.summary.status, Status::InProgress);
}

async fn a_key_opens_its_own_customer_s_trust_only_though_two_have_one_name(scene: Scene) {
    let hub = hub(&scene).await;
    let other = hub.sortie(&["org", "create", "other-customer"]).well().stdout.trim().to_owned();
    let other = hub.people_as(&other);
    let ours = Trust::add(&hub, "north").await;
    let added = other.add_node(&AddNode { name: "north".to_owned(), ..AddNode::default() }).await;
    let theirs = Trust { hub: &hub, name: "north", key: added.expect("names are an org's own").key };
    let task = serde_json::from_value(json!({ "type": "sleep", "node": "north", "payload": { "ms": 0 } })).unwrap();
    let foreign = other.submit(&task, None).await.expect("an administrator may submit").id.to_string();
    let own = nap(&hub, "north").await.to_string();
    assert_eq!((ours.taken().await, theirs.taken().await), (vec![own.clone()], vec![foreign.clone()]));
    // Any key that holds is not enough: the task of the other customer is not even there.
    for (trust, task) in [(&ours, &foreign), (&theirs, &own)] {
        let refused = trust.report(task, done()).await;
        assert!(matches!(refused.problem().code, NotYourTask | UnknownTask), "{refused:?}");
    }
    assert_eq!((ours.report(&own, done()).await.status, theirs.report(&foreign, done()).await.status), (200, 200));
}

async fn what_was_not_handed_out_has_no_result(scene: Scene) {
    let hub = hub(&scene).await;
    let trust = Trust::add(&hub, "north").await;
    let id = nap(&hub, "north").await;
    trust.report(&id.to_string(), done()).await.is_problem(NotInProgress, None);
    assert_eq!(hub.task(id).await.summary.status, Status::Pending);
}

async fn the_same_result_again_is_answered_like_the_first_and_another_is_refused(scene: Scene) {
    let hub = hub(&scene).await;
    let trust = Trust::add(&hub, "north").await;
    let id = nap(&hub, "north").await.to_string();
    trust.taken().await;
    let (first, again) = (trust.report(&id, done()).await, trust.report(&id, done()).await);
    assert_eq!((first.status, first.json()), (200, json!({ "id": id, "status": "COMPLETED" })));
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    let other = json!({ "status": "COMPLETED", "result": { "slept_ms": 7 } });
    trust.report(&id, other).await.is_problem(OtherResult, None);
}

async fn what_is_no_result_is_pointed_at(scene: Scene) {
    let hub = hub(&scene).await;
    let trust = Trust::add(&hub, "north").await;
    let id = nap(&hub, "north").await.to_string();
    trust.taken().await;
    trust.report(&id, json!({ "status": "PENDING" })).await.is_problem(FieldInvalid, Some("/status"));
    for wrong in [json!({}), json!({ "status": "DONE" }), json!({ "status": "COMPLETED", "colour": "red" }), json!([])]
    {
        let answer = trust.report(&id, wrong.clone()).await;
        assert_eq!(answer.status, 400, "{wrong} {answer:?}");
    }
    let large = json!({ "status": "COMPLETED", "result": { "note": "x".repeat(10_000_001) } });
    assert_eq!(trust.report(&id, large).await.status, 413);
    assert_eq!(trust.report(&id, done()).await.status, 200);
}

async fn a_result_that_does_not_fit_its_type_fails_the_task(scene: Scene) {
    let hub = hub(&scene).await;
    let trust = Trust::add(&hub, "north").await;
    let id = nap(&hub, "north").await;
    trust.taken().await;
    let answer = trust.report(&id.to_string(), json!({ "status": "COMPLETED" })).await;
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("FAILED")));
    assert_eq!(answer.json()["code"], "result_invalid");
    let task = hub.task(id).await;
    assert_eq!(task.summary.code.map(|code| code.0).as_deref(), Some("result_invalid"));
}
