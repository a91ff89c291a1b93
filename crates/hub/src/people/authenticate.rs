//! Finds out who is asking, from the token in `Authorization`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sortie_rules::ids::TokenId;
use sortie_rules::time::Millis;
use sortie_store::{Store, StoreError, tokens};
use sortie_wire::problem::ProblemCode;
use tokio::sync::watch;

use super::principal::{Principal, Proof, holds};
use super::provider;
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::identity::secret_fits;

/// How an API token begins, so that leaked ones are found by those who search for such things.
pub(crate) const TOKEN_PREFIX: &str = "sortie_tok_";
/// Most tokens kept in memory.
const CACHED_MAX: usize = 10_000;

/// Tokens that were read lately, so that a request costs no query.
#[derive(Debug, Default)]
pub(crate) struct TokenCache {
    known: RwLock<Entries>,
    used: Mutex<HashMap<TokenId, Millis>>,
    /// Rung when something that somebody came with may hold no more.
    bell: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Entries {
    by_id: HashMap<TokenId, Arc<Known>>,
    /// Rises when a token is revoked: a row read before that is not remembered after it.
    changes: u64,
}

#[derive(Debug)]
struct Known {
    principal: Principal,
    secret_hash: Vec<u8>,
    expires_at: Option<Millis>,
}

impl TokenCache {
    /// Forgets a token: it was revoked.
    pub(crate) fn forget(&self, token: TokenId) {
        let mut entries = self.known.write().unwrap_or_else(PoisonError::into_inner);
        entries.changes += 1;
        entries.by_id.remove(&token);
        drop(entries);
        self.ring();
    }

    /// Has those look again whose answers go on after they began.
    pub(crate) fn ring(&self) {
        self.bell.send_replace(());
    }

    /// Changes when something that somebody came with may hold no more.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }

    /// Until when a token holds, if it does; the inner `None` is for ever.
    pub(super) async fn ends_at(app: &App, id: TokenId) -> Option<Option<Millis>> {
        let known = app.people.find(&app.store, id).await.ok().flatten()?;
        Some(known.expires_at)
    }

    /// Takes the times at which tokens were last used, to be written down together.
    pub(crate) fn take_used(&self) -> Vec<(TokenId, Millis)> {
        let mut used: Vec<_> = self.used.lock().unwrap_or_else(PoisonError::into_inner).drain().collect();
        used.sort_unstable();
        used
    }

    /// What was taken could not be written down: it goes with the next, unless that says more.
    pub(crate) fn not_written(&self, taken: &[(TokenId, Millis)]) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for (token, at) in taken {
            used.entry(*token).or_insert(*at);
        }
    }

    /// When a token was last used, if that has not been written down yet.
    pub(super) fn used_since(&self, token: TokenId) -> Option<Millis> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).get(&token).copied()
    }

    async fn find(&self, store: &Store, id: TokenId) -> Result<Option<Arc<Known>>, StoreError> {
        let before = {
            let entries = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = entries.by_id.get(&id) {
                return Ok(Some(Arc::clone(known)));
            }
            entries.changes
        };
        let row = store.read(move |tx| Box::pin(async move { tokens::get(tx, id).await })).await?;
        let Some(row) = row.filter(|row| row.revoked_at.is_none()) else { return Ok(None) };
        let principal = Principal {
            org: row.org,
            name: row.name.into(),
            role: row.role,
            permissions: holds(row.role, row.scopes, row.org),
            key: format!("token:{id}").into(),
            proof: Proof::Token(id),
            subject: format!("token:{id}").into(),
            asking: None,
        };
        let known = Arc::new(Known { principal, secret_hash: row.secret_hash, expires_at: row.expires_at });
        let mut entries = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if entries.changes == before {
            if entries.by_id.len() >= CACHED_MAX {
                entries.by_id.clear();
            }
            entries.by_id.insert(id, Arc::clone(&known));
        }
        Ok(Some(known))
    }
}

/// Who is asking, if the request carries a token that holds.
pub(crate) async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Principal, Fault> {
    let unknown = |detail: &str| refuse(ProblemCode::Unauthenticated, detail);
    let header = headers.get(AUTHORIZATION).ok_or_else(|| {
        unknown("Send a token: `Authorization: Bearer …`. The first one is in the hub's data folder, in admin.token.")
    })?;
    let token = header.to_str().ok().and_then(bearer);
    if let (Some(token), Some(provider)) = (token, &app.provider)
        && is_of_a_provider(token)
    {
        return provider::authenticate(app, provider, token).await;
    }
    let (id, secret) = token
        .and_then(split)
        .ok_or_else(|| unknown("This is not a token of this hub; tokens begin with `sortie_tok_`."))?;
    let now = app.clock.now();
    // One sentence for all that does not hold: a stranger learns nothing about which tokens exist.
    let refused = "The token is not valid: it is unknown, was revoked, or has expired.";
    let known = app.people.find(&app.store, id).await?.ok_or_else(|| unknown(refused))?;
    if !secret_fits(secret, &known.secret_hash) || known.expires_at.is_some_and(|end| now >= end) {
        return Err(unknown(refused));
    }
    app.people.used.lock().unwrap_or_else(PoisonError::into_inner).insert(id, now);
    Ok(known.principal.clone())
}

/// Whether this is a signed token as providers make them, and none of ours.
fn is_of_a_provider(token: &str) -> bool {
    !token.starts_with(TOKEN_PREFIX) && token.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// The token of a request.
pub(super) fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    bearer(headers.get(AUTHORIZATION)?.to_str().ok()?)
}

/// What stands behind the scheme, whose name may be written large or small.
pub(crate) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn split(token: &str) -> Option<(TokenId, &str)> {
    let (id, secret) = token.strip_prefix(TOKEN_PREFIX)?.split_once('.')?;
    Some((id.parse().ok()?, secret))
}
