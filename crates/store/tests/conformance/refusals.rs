//! Deliveries that agents refused.

use sortie_store::{StoreError, Tx, refusals};

use crate::setup::{enroll, stories};

stories!(a_node_s_refusals_are_replaced_and_forgotten);

async fn a_node_s_refusals_are_replaced_and_forgotten(tx: &mut Tx) -> Result<(), StoreError> {
    let (node, other) = (enroll(tx, 1).await?, enroll(tx, 2).await?);
    assert_eq!(refusals::get(tx, node).await?, None);
    refusals::set(tx, node, "[1]").await?;
    refusals::set(tx, node, "[2]").await?;
    refusals::set(tx, other, "[3]").await?;
    assert_eq!(refusals::get(tx, node).await?.as_deref(), Some("[2]"));
    refusals::forget(tx, node).await?;
    assert_eq!(refusals::get(tx, node).await?, None);
    assert_eq!(refusals::get(tx, other).await?.as_deref(), Some("[3]"));
    Ok(())
}
