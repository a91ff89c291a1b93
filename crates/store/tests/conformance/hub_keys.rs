//! Keys that hubs share.

use sortie_store::{StoreError, Tx, hub_keys};

use crate::setup::stories;

stories!(keys_change_only_after_the_change_that_was_seen,);

async fn keys_change_only_after_the_change_that_was_seen(tx: &mut Tx) -> Result<(), StoreError> {
    let entry = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
    assert_eq!(hub_keys::all(tx).await?, (0, vec![]));
    assert!(hub_keys::change(tx, 0, &[entry("b", "one"), entry("a", "one")], &[]).await?);
    assert!(!hub_keys::change(tx, 0, &[entry("a", "other")], &[]).await?, "somebody was quicker");
    assert!(!hub_keys::change(tx, 2, &[entry("a", "other")], &[]).await?, "there was no such change");
    assert!(hub_keys::change(tx, 1, &[entry("a", "two")], &["b".to_owned(), "none".to_owned()]).await?);
    assert_eq!(hub_keys::all(tx).await?, (2, vec![entry("a", "two")]));
    Ok(())
}
