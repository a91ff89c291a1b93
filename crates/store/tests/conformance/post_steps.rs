//! Post-steps, and the fields that they take from results.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::post_steps::{Tried, begin, end, planned};
use sortie_rules::time::Span;
use sortie_store::fields::{self, FieldRow, Holder};
use sortie_store::post_steps::{self, StepRow};
use sortie_store::{StoreError, Tx, tasks};

use crate::setup::{NOW, OTHER_ORG, enroll, id, stories, task};

stories!(
    a_step_is_planned_once_begun_and_ended,
    steps_are_due_by_their_time,
    the_newest_result_s_word_on_a_field_stands,
);

fn step(name: &str, item: u32) -> StepRow {
    StepRow {
        task: id(1),
        run: 1,
        name: name.into(),
        item,
        org: DEFAULT_ORG,
        kind: "mail".into(),
        step: planned(NOW),
        finished_at: None,
        code: None,
        message: None,
    }
}

async fn with_task(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    tasks::insert(tx, &task(1, node)).await
}

async fn a_step_is_planned_once_begun_and_ended(tx: &mut Tx) -> Result<(), StoreError> {
    with_task(tx).await?;
    let row = step("tell", 0);
    post_steps::plan(tx, &[row.clone(), step("tell", 1)]).await?;
    let begun = StepRow { step: begin(row.step, NOW).expect("it is due"), ..row.clone() };
    assert!(post_steps::update(tx, &row.step, &begun).await?);
    assert!(!post_steps::update(tx, &row.step, &begun).await?, "somebody else has begun it");
    post_steps::plan(tx, &[row]).await?;
    let done = StepRow { step: end(begun.step, Tried::Done, NOW, 0), finished_at: Some(NOW), ..begun.clone() };
    let done = StepRow { code: Some("x".into()), message: Some("y".into()), ..done };
    assert!(post_steps::update(tx, &begun.step, &done).await?);
    assert_eq!(post_steps::of_task(tx, id(1), 9).await?, [done, step("tell", 1)]);
    assert_eq!(post_steps::of_task(tx, id(1), 1).await?.len(), 1);
    Ok(())
}

async fn steps_are_due_by_their_time(tx: &mut Tx) -> Result<(), StoreError> {
    with_task(tx).await?;
    let later = StepRow { step: planned(NOW + Span::seconds(5)), ..step("later", 0) };
    post_steps::plan(tx, &[later.clone(), step("now", 0)]).await?;
    assert_eq!(post_steps::due(tx, NOW, 9).await?, [step("now", 0)]);
    assert_eq!(post_steps::due(tx, NOW + Span::seconds(5), 9).await?, [step("now", 0), later]);
    Ok(())
}

async fn the_newest_result_s_word_on_a_field_stands(tx: &mut Tx) -> Result<(), StoreError> {
    let field = |name: &str, value: &str, at| FieldRow { name: name.into(), value: value.into(), task: id(1), at };
    let (node, site) = (Holder::Node(id::<()>(1).to_string()), Holder::Site("north".into()));
    for holder in [&node, &site] {
        fields::set(tx, DEFAULT_ORG, holder, &field("project", "7", NOW)).await?;
        fields::set(tx, DEFAULT_ORG, holder, &field("project", "6", NOW - Span::seconds(1))).await?;
        fields::set(tx, DEFAULT_ORG, holder, &field("area", "null", NOW)).await?;
        let listed = fields::list(tx, DEFAULT_ORG, holder, 9).await?;
        assert_eq!(listed, [field("area", "null", NOW), field("project", "7", NOW)]);
        assert_eq!(fields::list(tx, DEFAULT_ORG, holder, 1).await?.len(), 1);
    }
    assert_eq!(fields::list(tx, OTHER_ORG, &node, 9).await?, []);
    fields::set(tx, DEFAULT_ORG, &site, &field("project", "8", NOW)).await?;
    assert_eq!(fields::list(tx, DEFAULT_ORG, &node, 9).await?[1], field("project", "7", NOW));
    assert_eq!(fields::forget(tx, OTHER_ORG, &site).await?, 0);
    assert_eq!(fields::forget(tx, DEFAULT_ORG, &site).await?, 2);
    assert_eq!(fields::list(tx, DEFAULT_ORG, &site, 9).await?, []);
    assert_eq!(fields::list(tx, DEFAULT_ORG, &node, 9).await?.len(), 2);
    Ok(())
}
