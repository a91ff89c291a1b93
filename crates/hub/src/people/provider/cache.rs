//! Tokens that were verified lately: the next request with one costs a hash and a look into a table.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use sortie_rules::limits::VERIFIED_TOKENS_MAX;
use sortie_rules::time::Millis;

use super::verify::Verified;

/// The SHA-256 of a token: the token itself is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenHash([u8; 32]);

impl TokenHash {
    /// Of this token.
    pub(super) fn of(token: &str) -> TokenHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        TokenHash(hash)
    }

    /// In hex.
    pub(super) fn hex(self) -> String {
        hex::encode(self.0)
    }
}

/// Tokens that were verified lately.
#[derive(Debug, Default)]
pub(super) struct VerifiedTokens(RwLock<Entries>);

#[derive(Debug, Default)]
struct Entries {
    known: HashMap<TokenHash, Verified>,
    /// Rises when all are forgotten: what was verified before is not remembered after.
    round: u64,
}

impl VerifiedTokens {
    /// Who bears this token, if that is known; and the round, to remember it by if not.
    pub(super) fn find(&self, token: TokenHash) -> Result<Verified, u64> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.known.get(&token).cloned().ok_or(entries.round)
    }

    /// Remembers who bears a token.
    pub(super) fn remember(&self, token: TokenHash, verified: Verified, round: u64, now: Millis) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.round != round {
            return;
        }
        if entries.known.len() >= VERIFIED_TOKENS_MAX {
            entries.known.retain(|_, known| now < known.token.ends_at);
        }
        if entries.known.len() >= VERIFIED_TOKENS_MAX {
            entries.known.clear();
        }
        entries.known.insert(token, verified);
    }

    /// Forgets all: the keys have changed.
    pub(super) fn forget_all(&self) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.known.clear();
        entries.round += 1;
    }
}
