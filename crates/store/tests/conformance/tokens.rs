//! API tokens.

use sortie_rules::access::Role;
use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::time::{Millis, Span};
use sortie_store::tokens::TokenRow;
use sortie_store::{StoreError, Tx, tokens};

use crate::setup::{NOW, OTHER_ORG, id, stories};

stories!(
    a_token_is_read_back_as_it_was_made,
    tokens_are_listed_newest_first,
    a_token_is_withdrawn_once_and_by_its_org,
    the_last_use_of_a_token_never_moves_back,
);

fn token(number: u128) -> TokenRow {
    TokenRow {
        id: id(number),
        org: DEFAULT_ORG,
        name: "ci".into(),
        role: Role::Operator,
        scopes: Some("tasks:read tasks:write".parse().unwrap()),
        secret_hash: vec![0, 255, number as u8],
        created_by: "bootstrap".into(),
        created_at: NOW,
        expires_at: Some(NOW + Span::days(1)),
        revoked_at: None,
        last_used_at: None,
    }
}

async fn a_token_is_read_back_as_it_was_made(tx: &mut Tx) -> Result<(), StoreError> {
    tokens::insert(tx, &token(1)).await?;
    assert_eq!(tokens::get(tx, id(1)).await?, Some(token(1)));
    assert_eq!(tokens::get(tx, id(2)).await?, None);
    Ok(())
}

async fn tokens_are_listed_newest_first(tx: &mut Tx) -> Result<(), StoreError> {
    for number in [3, 1, 2] {
        tokens::insert(tx, &token(number)).await?;
    }
    assert_eq!(tokens::list(tx, DEFAULT_ORG, None, 2).await?, [token(3), token(2)]);
    assert_eq!(tokens::list(tx, DEFAULT_ORG, Some(id(2)), 2).await?, [token(1)]);
    assert_eq!(tokens::list(tx, OTHER_ORG, None, 2).await?, []);
    Ok(())
}

async fn a_token_is_withdrawn_once_and_by_its_org(tx: &mut Tx) -> Result<(), StoreError> {
    tokens::insert(tx, &token(1)).await?;
    assert!(!tokens::revoke(tx, OTHER_ORG, id(1), NOW).await?);
    assert!(tokens::revoke(tx, DEFAULT_ORG, id(1), NOW).await?);
    assert!(!tokens::revoke(tx, DEFAULT_ORG, id(1), Millis(NOW.0 + 1)).await?);
    assert_eq!(tokens::get(tx, id(1)).await?.and_then(|token| token.revoked_at), Some(NOW));
    Ok(())
}

async fn the_last_use_of_a_token_never_moves_back(tx: &mut Tx) -> Result<(), StoreError> {
    tokens::insert(tx, &token(1)).await?;
    tokens::insert(tx, &token(2)).await?;
    tokens::flush_used(tx, &[(id(1), Millis(20)), (id(2), Millis(30)), (id(9), Millis(40))]).await?;
    tokens::flush_used(tx, &[(id(1), Millis(10))]).await?;
    tokens::flush_used(tx, &[]).await?;
    assert_eq!(tokens::get(tx, id(1)).await?.and_then(|token| token.last_used_at), Some(Millis(20)));
    assert_eq!(tokens::get(tx, id(2)).await?.and_then(|token| token.last_used_at), Some(Millis(30)));
    Ok(())
}
