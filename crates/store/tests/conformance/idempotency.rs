//! Answers that are remembered.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::time::Millis;
use sortie_store::idempotency::{self, IdempotencyRow, KEY_TAKEN};
use sortie_store::{StoreError, Tx};

use crate::setup::{OTHER_ORG, stories};

stories!(
    the_first_answer_to_a_key_stands,
    a_key_belongs_to_one_principal_of_one_org,
    answers_are_forgotten_when_they_are_old,
);

async fn first(tx: &mut Tx, key: &str, answer: &str, at: Millis) -> Result<(), StoreError> {
    idempotency::remember(tx, DEFAULT_ORG, "token:ci", key, "POST /tasks", &[1, 2], answer, at).await
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
