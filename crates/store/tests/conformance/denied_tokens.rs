//! Tokens of a provider that are denied.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::time::{Millis, Span};
use sortie_store::denied_tokens::{self, DeniedTokenRow};
use sortie_store::{StoreError, Tx};

use crate::setup::{NOW, OTHER_ORG, stories};

stories!(
    a_token_is_denied_once_and_for_the_longer_time,
    denied_tokens_are_listed_by_their_org,
    denied_tokens_that_have_ended_are_forgotten,
);

fn denied(jti: &str) -> DeniedTokenRow {
    DeniedTokenRow {
        org: DEFAULT_ORG,
        jti: jti.to_owned(),
        denied_by: "ada".to_owned(),
        denied_at: NOW,
        expires_at: NOW + Span::minutes(5),
    }
}

async fn a_token_is_denied_once_and_for_the_longer_time(tx: &mut Tx) -> Result<(), StoreError> {
    assert!(denied_tokens::deny(tx, &denied("a")).await?);
    assert_eq!(denied_tokens::get(tx, DEFAULT_ORG, "a").await?, Some(denied("a")));
    assert!(!denied_tokens::deny(tx, &denied("a")).await?);
    let shorter = DeniedTokenRow { expires_at: NOW, ..denied("a") };
    assert!(!denied_tokens::deny(tx, &shorter).await?);
    let longer = DeniedTokenRow { expires_at: NOW + Span::days(1), denied_by: "grace".to_owned(), ..denied("a") };
    assert!(denied_tokens::deny(tx, &longer).await?);
    let stands = DeniedTokenRow { expires_at: longer.expires_at, ..denied("a") };
    assert_eq!(denied_tokens::get(tx, DEFAULT_ORG, "a").await?, Some(stands));
    assert_eq!(denied_tokens::get(tx, OTHER_ORG, "a").await?, None);
    Ok(())
}

async fn denied_tokens_are_listed_by_their_org(tx: &mut Tx) -> Result<(), StoreError> {
    for jti in ["b", "A", "c"] {
        denied_tokens::deny(tx, &denied(jti)).await?;
    }
    let other = DeniedTokenRow { org: OTHER_ORG, ..denied("b") };
    denied_tokens::deny(tx, &other).await?;
    assert_eq!(denied_tokens::list(tx, DEFAULT_ORG, None, 2).await?, [denied("A"), denied("b")]);
    assert_eq!(denied_tokens::list(tx, DEFAULT_ORG, Some("b"), 2).await?, [denied("c")]);
    assert_eq!((denied_tokens::count(tx, DEFAULT_ORG).await?, denied_tokens::count(tx, OTHER_ORG).await?), (3, 1));
    assert_eq!(denied_tokens::all(tx).await?.len(), 4);
    Ok(())
}

async fn denied_tokens_that_have_ended_are_forgotten(tx: &mut Tx) -> Result<(), StoreError> {
    denied_tokens::deny(tx, &denied("a")).await?;
    denied_tokens::deny(tx, &DeniedTokenRow { expires_at: NOW + Span::days(1), ..denied("b") }).await?;
    assert_eq!(denied_tokens::forget_expired(tx, Millis(denied("a").expires_at.0 - 1)).await?, 0);
    assert_eq!(denied_tokens::forget_expired(tx, denied("a").expires_at).await?, 1);
    assert_eq!(denied_tokens::get(tx, DEFAULT_ORG, "a").await?, None);
    Ok(())
}
