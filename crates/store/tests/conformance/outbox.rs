//! How far events have come on their way to others.

use sortie_rules::time::Millis;
use sortie_store::{StoreError, Tx, outbox};

use crate::setup::{NOW, stories};

stories!(a_cursor_begins_once_and_only_moves_on, of_two_who_move_a_cursor_one_gives_way, each_relay_has_its_own,);

async fn a_cursor_begins_once_and_only_moves_on(tx: &mut Tx) -> Result<(), StoreError> {
    assert_eq!(outbox::cursor(tx, "nats").await?, None);
    assert!(!outbox::advance(tx, "nats", 0, 1, NOW).await?);
    outbox::begin(tx, "nats", 7, NOW).await?;
    outbox::begin(tx, "nats", 3, NOW).await?;
    assert_eq!(outbox::cursor(tx, "nats").await?, Some(7));
    assert!(outbox::advance(tx, "nats", 7, 9, Millis(NOW.0 + 1)).await?);
    assert!(!outbox::advance(tx, "nats", 9, 9, NOW).await?);
    assert!(!outbox::advance(tx, "nats", 9, 8, NOW).await?);
    assert_eq!(outbox::cursor(tx, "nats").await?, Some(9));
    Ok(())
}

async fn of_two_who_move_a_cursor_one_gives_way(tx: &mut Tx) -> Result<(), StoreError> {
    outbox::begin(tx, "nats", 0, NOW).await?;
    assert!(outbox::advance(tx, "nats", 0, 5, NOW).await?);
    assert!(!outbox::advance(tx, "nats", 0, 3, NOW).await?);
    assert!(!outbox::advance(tx, "nats", 0, 9, NOW).await?);
    assert_eq!(outbox::cursor(tx, "nats").await?, Some(5));
    Ok(())
}

async fn each_relay_has_its_own(tx: &mut Tx) -> Result<(), StoreError> {
    outbox::begin(tx, "one", 1, NOW).await?;
    outbox::begin(tx, "other", 2, NOW).await?;
    assert!(outbox::advance(tx, "one", 1, 3, NOW).await?);
    assert_eq!(outbox::cursor(tx, "one").await?, Some(3));
    assert_eq!(outbox::cursor(tx, "other").await?, Some(2));
    Ok(())
}
