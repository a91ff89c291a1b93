//! What was chosen holds at once, and is told with what held before; what nobody chose has its default.

use futures_util::future::join_all;
use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::Conflict;
use stories::{As, Scene, on_both_engines, on_sqlite};

use crate::help::{put, set, somebody, told, value};

on_both_engines!(
    what_nobody_chose_has_its_default_and_what_was_chosen_holds_and_is_told,
    of_many_who_change_one_setting_at_once_each_is_told_in_turn_or_refused,
);
on_sqlite!(what_was_changed_by_hand_holds_after_a_sighup);

const KEY: &str = "terminal.session_max_ttl_seconds";

async fn what_nobody_chose_has_its_default_and_what_was_chosen_holds_and_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let listed = hub.people().org_settings().await.unwrap().items;
    assert!(listed.is_sorted_by(|one, next| one.key < next.key) && listed.len() >= 7, "{listed:?}");
    for setting in &listed {
        assert_eq!((&setting.value, &setting.changed_by), (&setting.default, &None), "{}", setting.key);
        assert!(!setting.meaning.is_empty());
    }
    let before = hub.people().org_setting(KEY).await.unwrap();
    assert_eq!((&before.value, before.least, before.most), (&json!(14400), Some(60), Some(86400)));
    assert_eq!(before.unit.as_deref(), Some("seconds"));

    let changed = put(&hub, KEY, json!(900)).await.json();
    assert_eq!(
        (&changed["value"], &changed["default"], &changed["changed_by"]),
        (&json!(900), &json!(14400), &json!("admin"))
    );
    let seen = hub.people().org_setting(KEY).await.unwrap();
    assert!(seen.value == 900 && seen.changed_at.is_some(), "{seen:?}");
    let listed = hub.people().org_settings().await.unwrap().items;
    assert_eq!(listed.iter().filter(|setting| setting.changed_at.is_some()).collect::<Vec<_>>(), [&seen]);
    set(&hub, KEY, json!(900)).await;
    assert_eq!(hub.people().org_setting(KEY).await.unwrap(), seen, "what holds already is no change");
    set(&hub, KEY, json!(14400)).await;
    for _ in 0..2 {
        let reset = hub.people().reset_org_setting(KEY).await.unwrap();
        assert_eq!(reset, before, "twice is once");
    }
    set(&hub, "tokens.scopes_needed", json!(true)).await;
    assert_eq!(
        told(&hub).await,
        [
            json!([KEY, 14400, 900, "admin"]),
            json!([KEY, 900, 14400, "admin"]),
            // The default was chosen, and is now only where nobody chose.
            json!([KEY, 14400, 14400, "admin"]),
            json!(["tokens.scopes_needed", false, true, "admin"]),
        ]
    );
}

async fn of_many_who_change_one_setting_at_once_each_is_told_in_turn_or_refused(scene: Scene) {
    let hub = scene.hub().start().await;
    let values: Vec<i64> = (100..112).collect();
    let answers = join_all(values.iter().map(|value| put(&hub, KEY, json!(value)))).await;
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.is_problem(Conflict, None);
    }
    let told = told(&hub).await;
    assert_eq!(told.len(), taken, "each that was taken is told, and no other");
    let mut holds = json!(14400);
    for change in &told {
        assert_eq!(change[1], holds, "each begins where the one before ended: {told:?}");
        holds = change[2].clone();
    }
    assert_eq!(value(&hub, KEY).await, holds);
}

async fn what_was_changed_by_hand_holds_after_a_sighup(scene: Scene) {
    let mut hub = scene.hub().start().await;
    let role = |answer: &stories::Answer| answer.problem().pointer;
    set(&hub, "tokens.role_max", json!("viewer")).await;
    let ask = async |hub: &stories::RunningHub<'_>| {
        crate::help::ask_for_token(hub, json!({ "name": "ci", "role": "operator" })).await
    };
    assert_eq!(role(&ask(&hub).await).as_deref(), Some("/role"), "it is obeyed, and in memory from now on");
    hub.plan().sql("update org_settings set value = '\"admin\"'");
    assert_eq!(role(&ask(&hub).await).as_deref(), Some("/role"), "nobody has told the hub");
    hub.process().signal(rustix::process::Signal::HUP);
    stories::until("the hub looks again", async || (ask(&hub).await.status == 201).then_some(())).await;
    let viewer = somebody(&hub, "viewer").await;
    assert!(matches!(&viewer, As::Token(token) if !token.is_empty()));
    let refused = hub.request(Method::GET, "/api/v1/settings").from(viewer).send().await;
    assert_eq!(refused.status, 403);
}
