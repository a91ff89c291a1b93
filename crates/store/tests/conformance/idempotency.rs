//! Answers that are remembered.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::time::Millis;
use sortie_store::idempotency::{self, IdempotencyRow, KEY_TAKEN, Remembered};
use sortie_store::{StoreError, Tx};

use crate::setup::{OTHER_ORG, stories};

stories!(
    the_first_answer_to_a_key_stands,
    a_key_belongs_to_one_principal_of_one_org,
    of_many_answers_each_key_keeps_its_first,
    answers_are_forgotten_when_they_are_old,
);

fn answer<'a>(key: &'a str, answer: &'a str, at: Millis) -> Remembered<'a> {
    let (principal, route, body_hash) = ("token:ci", "POST /tasks", &[1, 2]);
    Remembered { org: DEFAULT_ORG, principal, key, route, body_hash, answer, at }
}

async fn first(tx: &mut Tx, key: &str, text: &str, at: Millis) -> Result<(), StoreError> {
    idempotency::remember(tx, answer(key, text, at)).await
}

async fn of_many_answers_each_key_keeps_its_first(tx: &mut Tx) -> Result<(), StoreError> {
    first(tx, "a", "before", Millis(5)).await?;
    let other = Remembered { principal: "token:other", ..answer("a", "other", Millis(6)) };
    let many = [answer("a", "one", Millis(6)), answer("b", "two", Millis(6)), other, answer("c", "three", Millis(6))];
    assert_eq!(idempotency::remember_all(tx, &many).await?, [false, true, true, true]);
    let twice = [answer("d", "four", Millis(7)), answer("d", "five", Millis(7))];
    assert_eq!(idempotency::remember_all(tx, &twice).await?, [true, false]);
    for (key, text) in [("a", "before"), ("b", "two"), ("d", "four")] {
        let kept = idempotency::recall(tx, DEFAULT_ORG, "token:ci", key).await?;
        assert_eq!(kept.map(|row| row.answer).as_deref(), Some(text), "{key}");
    }
    Ok(())
}

async fn the_first_answer_to_a_key_stands(tx: &mut Tx) -> Result<(), StoreError> {
    first(tx, "k", "one", Millis(5)).await?;
    assert!(first(tx, "k", "two", Millis(6)).await.unwrap_err().is_taken(KEY_TAKEN));
    // The refusal has not spoiled the transaction, on either engine.
    let recalled = idempotency::recall(tx, DEFAULT_ORG, "token:ci", "k").await?;
    let one = IdempotencyRow {
        route: "POST /tasks".into(),
        body_hash: vec![1, 2],
        answer: "one".into(),
        created_at: Millis(5),
    };
    assert_eq!(recalled, Some(one));
    Ok(())
}

async fn a_key_belongs_to_one_principal_of_one_org(tx: &mut Tx) -> Result<(), StoreError> {
    first(tx, "k", "one", Millis(5)).await?;
    assert_eq!(idempotency::recall(tx, DEFAULT_ORG, "token:other", "k").await?, None);
    assert_eq!(idempotency::recall(tx, OTHER_ORG, "token:ci", "k").await?, None);
    assert_eq!(idempotency::recall(tx, DEFAULT_ORG, "token:ci", "l").await?, None);
    Ok(())
}

async fn answers_are_forgotten_when_they_are_old(tx: &mut Tx) -> Result<(), StoreError> {
    first(tx, "a", "one", Millis(5)).await?;
    first(tx, "b", "two", Millis(6)).await?;
    assert_eq!(idempotency::forget_older(tx, Millis(6)).await?, 1);
    assert_eq!(idempotency::recall(tx, DEFAULT_ORG, "token:ci", "a").await?, None);
    assert!(idempotency::recall(tx, DEFAULT_ORG, "token:ci", "b").await?.is_some());
    Ok(())
}
