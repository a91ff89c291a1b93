//! How far the hub itself has followed its events.

use sortie_store::{StoreError, Tx, followers};

use crate::setup::{NOW, stories};

stories!(a_follower_begins_once_and_only_moves_on, of_two_who_follow_one_gives_way);

async fn a_follower_begins_once_and_only_moves_on(tx: &mut Tx) -> Result<(), StoreError> {
    assert_eq!(followers::place(tx, "alarms").await?, None);
    assert!(!followers::move_on(tx, "alarms", 0, 1, NOW).await?);
    followers::begin(tx, "alarms", 7, NOW).await?;
    followers::begin(tx, "alarms", 3, NOW).await?;
    assert!(!followers::begin_first(tx, "alarms", 4, NOW).await?);
    assert_eq!(followers::place(tx, "alarms").await?, Some(7));
    assert!(followers::begin_first(tx, "history", 4, NOW).await?);
    assert_eq!(followers::place(tx, "history").await?, Some(4));
    assert!(followers::move_on(tx, "alarms", 7, 9, NOW).await?);
    assert!(!followers::move_on(tx, "alarms", 9, 9, NOW).await?);
    assert!(!followers::move_on(tx, "alarms", 9, 8, NOW).await?);
    assert_eq!(followers::place(tx, "other").await?, None, "each has its own");
    Ok(())
}

async fn of_two_who_follow_one_gives_way(tx: &mut Tx) -> Result<(), StoreError> {
    followers::begin(tx, "alarms", 0, NOW).await?;
    assert!(followers::move_on(tx, "alarms", 0, 5, NOW).await?);
    assert!(!followers::move_on(tx, "alarms", 0, 3, NOW).await?);
    assert!(!followers::move_on(tx, "alarms", 0, 9, NOW).await?);
    assert_eq!(followers::place(tx, "alarms").await?, Some(5));
    Ok(())
}
