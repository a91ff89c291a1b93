//! Secrets of an org.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_store::secrets::{self, SecretRow};
use sortie_store::{StoreError, Tx};

use crate::setup::{NOW, OTHER_ORG, stories};

stories!(a_secret_is_changed_by_one_at_a_time_and_goes);

async fn a_secret_is_changed_by_one_at_a_time_and_goes(tx: &mut Tx) -> Result<(), StoreError> {
    let first = SecretRow {
        org: DEFAULT_ORG,
        name: "wifi".into(),
        version: 1,
        sealed: vec![1, 2],
        changed_by: "token:ci".into(),
        changed_at: NOW,
    };
    assert!(secrets::put(tx, &first).await?);
    assert!(!secrets::put(tx, &first).await?);
    let second = SecretRow { version: 2, sealed: vec![3], ..first };
    assert!(secrets::put(tx, &second).await?);
    assert!(!secrets::put(tx, &second).await?);
    assert_eq!(secrets::get(tx, DEFAULT_ORG, "wifi").await?, Some(second.clone()));
    assert_eq!(secrets::get(tx, OTHER_ORG, "wifi").await?, None);
    assert_eq!(secrets::list(tx, DEFAULT_ORG, None, 9).await?, [second]);
    assert_eq!(secrets::list(tx, DEFAULT_ORG, Some("wifi"), 9).await?, []);
    assert_eq!(secrets::count(tx, DEFAULT_ORG).await?, 1);
    assert!(secrets::delete(tx, DEFAULT_ORG, "wifi").await?);
    assert!(!secrets::delete(tx, DEFAULT_ORG, "wifi").await?);
    Ok(())
}
