//! What the hub does not take, with its code, and nothing changed by it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::json;
use sortie_rules::ids::Id;
use sortie_rules::time::Span;
use sortie_wire::envelope::Envelope;
use sortie_wire::operations::{Operation, OperationStatus, Statement, Target};
use sortie_wire::problem::ProblemCode::{
    FieldInvalid, Forbidden, MalformedBody, PayloadInvalid, SignatureInvalid, SignerUnknown, TooLarge, UnknownNode,
    UnknownOperation, UnknownTaskType,
};
use stories::{As, Operator, RunningHub, Scene, on_sqlite, signed_set, signed_statement, statement_of};

use crate::help::{bring, propose, signed};

on_sqlite!(
    a_proposal_that_cannot_be_is_refused_with_the_place,
    more_signatures_than_there_are_operators_are_refused,
    a_signature_that_does_not_hold_is_refused_and_changes_nothing,
    no_flipped_bit_of_what_was_signed_is_taken,
    only_published_operators_sign,
    a_node_that_enrolled_anew_is_another_target,
    who_may_only_read_proposes_and_signs_nothing,
);

async fn a_proposal_that_cannot_be_is_refused_with_the_place(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("box").await;
    let ask = async |fields: serde_json::Value| {
        let mut body = json!({ "type": "sleep", "node": "box", "payload": { "ms": 1 } });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        hub.request(Method::POST, "/api/v1/operations").json(&body).send().await
    };
    let large = json!({ "path": "/x", "line": "x".repeat(65_536) });
    for (fields, code, pointer) in [
        (json!({ "type": "no.such" }), UnknownTaskType, Some("/type")),
        (json!({ "node": "nowhere" }), UnknownNode, Some("/node")),
        (json!({ "payload": { "extra": 1 } }), PayloadInvalid, None),
        (json!({ "type": "file.append", "payload": large }), TooLarge, Some("/payload")),
        (json!({ "valid_for": 1000 }), FieldInvalid, Some("/valid_for")),
        (json!({ "valid_for": Span::days(31) }), FieldInvalid, Some("/valid_for")),
        (json!({ "signatures": 0 }), FieldInvalid, Some("/signatures")),
        (json!({ "signatures": 17 }), FieldInvalid, Some("/signatures")),
        (json!({ "reason": "x".repeat(501) }), FieldInvalid, Some("/reason")),
        (json!({ "speed": 9 }), MalformedBody, None),
    ] {
        let problem = ask(fields.clone()).await.problem();
        assert_eq!(problem.code, code, "{fields}: {problem:?}");
        if pointer.is_some() {
            assert_eq!(problem.pointer.as_deref(), pointer, "{problem:?}");
        }
    }
    assert!(hub.people().operations(&Default::default()).await.unwrap().items.is_empty());
}

/// A change that somebody made to what is signed.
type Change = fn(&mut Statement);

async fn more_signatures_than_there_are_operators_are_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("box").await;
    let (ada, bob) = (Operator::new("ada"), Operator::new("bob"));
    let ask = async |wanted: u32| {
        let body = json!({ "type": "sleep", "node": "box", "payload": { "ms": 1 }, "signatures": wanted });
        hub.request(Method::POST, "/api/v1/operations").json(&body).send().await
    };
    assert_eq!(ask(9).await.status, 201, "nobody has published who there is");
    hub.people().publish_operators(&signed_set(1, 1, &[&ada, &bob], &[&ada])).await.unwrap();
    let refused = ask(3).await.is_problem(FieldInvalid, Some("/signatures"));
    assert!(refused.detail.contains("has 2"), "{refused:?}");
    assert_eq!(ask(2).await.status, 201);
}

async fn a_signature_that_does_not_hold_is_refused_and_changes_nothing(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let (ada, operation) = (Operator::new("ada"), propose(&hub, "box", 1).await);
    let changes: [(&str, Change); 11] = [
        ("another operation", |it| it.operation = Id::from_uuid(uuid::Uuid::nil())),
        ("another type", |it| it.op = "sys.info".into()),
        ("another node", |it| it.target.node = Id::from_uuid(uuid::Uuid::nil())),
        ("another key of the node", |it| it.target.key = "00".repeat(32)),
        ("another payload", |it| it.params = serde_json::value::to_raw_value(&json!({ "a": 1 })).unwrap()),
        ("expired", |it| (it.issued_at, it.expires_at) = (it.issued_at - Span::days(2), it.issued_at - Span::days(1))),
        ("valid for longer", |it| it.expires_at = it.issued_at + Span::days(2)),
        ("ends before it begins", |it| it.expires_at = it.issued_at - Span::minutes(1)),
        ("a short nonce", |it| it.nonce = "ab".into()),
        ("a nonce that is none", |it| it.nonce = "z".repeat(32)),
        ("no nonce", |it| it.nonce.clear()),
    ];
    for (what, change) in changes {
        let mut statement = statement_of(&operation, ada.key(), operation.proposed_at);
        change(&mut statement);
        let problem = bring(&hub, operation.id, &signed_statement(&statement, &[&ada])).await.problem();
        assert_eq!(problem.code, SignatureInvalid, "{what}: {problem:?}");
    }
    let good = signed(&operation, &[&ada]);
    let nobody = Envelope { signatures: vec![], ..good.clone() };
    let mut of_another = signed(&operation, &[&Operator::new("eve")]);
    of_another.signatures[0].keyid = ada.key().fingerprint();
    let mut as_set = good.clone();
    as_set.payload_type = sortie_wire::operators::OPERATORS.to_owned();
    let no_json = Envelope { payload: BASE64.encode("{"), ..good.clone() };
    let mut many = good.clone();
    many.signatures = vec![good.signatures[0].clone(); 40];
    for (what, envelope) in
        [("unsigned", nobody), ("another's", of_another), ("a set", as_set), ("no JSON", no_json), ("too many", many)]
    {
        let problem = bring(&hub, operation.id, &envelope).await.problem();
        assert_eq!(problem.code, SignatureInvalid, "{what}: {problem:?}");
    }
    untouched(&hub, &operation).await;
    assert!(node.wait(1, 0).await.tasks.is_empty());
    assert_eq!(bring(&hub, operation.id, &good).await.status, 200, "and a good one is taken after all of them");
    let unknown = bring(&hub, Id::from_uuid(uuid::Uuid::nil()), &good).await;
    unknown.is_problem(UnknownOperation, None);
}

async fn untouched(hub: &RunningHub<'_>, operation: &Operation) {
    let shown = hub.people().operation(operation.id).await.unwrap();
    assert_eq!((shown.status, shown.signed_by.len()), (OperationStatus::AwaitingSignature, 0));
}

async fn no_flipped_bit_of_what_was_signed_is_taken(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("box").await;
    let (ada, operation) = (Operator::new("ada"), propose(&hub, "box", 1).await);
    hub.people().publish_operators(&signed_set(1, 1, &[&ada], &[&ada])).await.unwrap();
    let good = signed(&operation, &[&ada]);
    let text = serde_json::to_vec(&good).unwrap();
    let path = format!("/api/v1/operations/{}/signatures", operation.id);
    for round in 0..60 {
        let mut damaged = text.clone();
        let (at, bit) = (scene.seed().below(text.len() as u64) as usize, round % 7);
        damaged[at] ^= 1 << bit;
        let answer = hub.request(Method::POST, &path).body("application/json", damaged).send().await;
        assert!((400..500).contains(&answer.status), "bit {bit} of byte {at}: {answer:?}");
    }
    untouched(&hub, &operation).await;
}

async fn only_published_operators_sign(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("box").await;
    let (ada, bob, eve) = (Operator::new("ada"), Operator::new("bob"), Operator::new("eve"));
    hub.people().publish_operators(&signed_set(1, 1, &[&ada, &bob], &[&ada])).await.unwrap();
    let operation = propose(&hub, "box", 1).await;
    let problem = bring(&hub, operation.id, &signed(&operation, &[&eve])).await.is_problem(SignerUnknown, None);
    assert!(problem.detail.contains("ada, bob"), "{problem:?}");
    hub.people().publish_operators(&signed_set(2, 1, &[&ada], &[&ada])).await.unwrap();
    bring(&hub, operation.id, &signed(&operation, &[&bob])).await.is_problem(SignerUnknown, None);
    untouched(&hub, &operation).await;
    assert_eq!(bring(&hub, operation.id, &signed(&operation, &[&ada])).await.status, 200);
}

async fn a_node_that_enrolled_anew_is_another_target(scene: Scene) {
    let hub = scene.hub().start().await;
    let _first = hub.hand_node("box").await;
    let (ada, operation) = (Operator::new("ada"), propose(&hub, "box", 1).await);
    let invite = hub.sortie(&["invite", "create", "--node", "box", "--replace"]).well().stdout;
    let _second = hub.hand_node_with(invite.trim()).await;
    let problem = bring(&hub, operation.id, &signed(&operation, &[&ada])).await.is_problem(SignatureInvalid, None);
    assert!(problem.detail.contains("propose it again"), "{problem:?}");
    let again = propose(&hub, "box", 1).await;
    assert_eq!(again.target.node, operation.target.node);
    assert_ne!(again.target, Target { ..operation.target });
    assert_eq!(bring(&hub, again.id, &signed(&again, &[&ada])).await.status, 200);
}

async fn who_may_only_read_proposes_and_signs_nothing(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("box").await;
    let operation = propose(&hub, "box", 1).await;
    for role in ["viewer", "service"] {
        let made = hub.sortie_json(&["token", "create", "--name", role, "--role", role]);
        let who = As::Token(made["token"].as_str().unwrap().to_owned());
        let path = format!("/api/v1/operations/{}", operation.id);
        assert_eq!(hub.request(Method::GET, &path).from(who.clone()).send().await.status, 200);
        let sign = hub.request(Method::POST, &format!("{path}/signatures")).from(who.clone());
        let envelope = signed(&operation, &[&Operator::new("ada")]);
        sign.json(&json!(envelope)).send().await.is_problem(Forbidden, None);
        hub.request(Method::POST, &format!("{path}/reject")).from(who).send().await.is_problem(Forbidden, None);
    }
    let made = hub.sortie_json(&["token", "create", "--name", "op", "--role", "operator"]);
    let who = As::Token(made["token"].as_str().unwrap().to_owned());
    let ada = Operator::new("ada");
    let publish = hub.request(Method::POST, "/api/v1/operators").from(who);
    publish.json(&json!(signed_set(1, 1, &[&ada], &[&ada]))).send().await.is_problem(Forbidden, None);
    untouched(&hub, &operation).await;
}
