//! Assertions of nodes that were used.

use sortie_rules::limits::HUB_CLOCKS_APART_MAX;
use sortie_rules::time::Span;
use sortie_store::{StoreError, Tx, assertions};

use crate::setup::{NOW, stories};

stories!(an_assertion_is_used_once_and_forgotten_when_it_has_ended,);

async fn an_assertion_is_used_once_and_forgotten_when_it_has_ended(tx: &mut Tx) -> Result<(), StoreError> {
    assert!(assertions::use_once(tx, "a", NOW + Span::minutes(1)).await?);
    assert!(!assertions::use_once(tx, "a", NOW + Span::minutes(2)).await?);
    assert!(assertions::use_once(tx, "b", NOW + Span::minutes(2)).await?);
    assert_eq!(assertions::forget_expired(tx, NOW + Span::minutes(1)).await?, 0);
    assert_eq!(assertions::forget_expired(tx, NOW + Span::minutes(1) + HUB_CLOCKS_APART_MAX).await?, 1);
    assert!(!assertions::use_once(tx, "b", NOW).await?);
    assert!(assertions::use_once(tx, "a", NOW).await?);
    Ok(())
}
