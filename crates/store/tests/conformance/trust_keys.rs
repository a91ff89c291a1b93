//! Keys of nodes without a certificate.

use sortie_rules::ids::TrustKeyId;
use sortie_store::trust_keys::{self, TrustKeyRow};
use sortie_store::{StoreError, Tx, nodes};

use crate::setup::{NOW, enroll, stories};

stories!(a_key_is_found_by_its_id_and_named_by_its_node);

async fn a_key_is_found_by_its_id_and_named_by_its_node(tx: &mut Tx) -> Result<(), StoreError> {
    let id = |number| TrustKeyId::from_uuid(uuid::Uuid::from_u128(number));
    let node = enroll(tx, 1).await?;
    let key = TrustKeyRow { id: id(9), node, secret_hash: vec![1, 0, 255], created_by: "ann".into(), created_at: NOW };
    trust_keys::insert(tx, &key).await?;
    assert_eq!(trust_keys::get(tx, key.id).await?, Some(key));
    assert_eq!(trust_keys::get(tx, id(8)).await?, None);
    let former = nodes::get_any_org(tx, node).await?.expect("it is there").key_fingerprint;
    assert!(nodes::set_key(tx, node, &former, "key:9").await?);
    assert!(!nodes::set_key(tx, node, &former, "key:8").await?, "somebody was quicker");
    assert_eq!(nodes::get_any_org(tx, node).await?.expect("it is there").key_fingerprint, "key:9");
    Ok(())
}
