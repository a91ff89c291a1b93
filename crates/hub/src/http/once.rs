//! `Idempotency-Key`: a request that is repeated because its answer was lost gets the answer of the
//! first, and changes nothing. The key is written in the transaction of what it protects.

use axum::http::HeaderMap;
use sortie_rules::ids::OrgId;
use sortie_rules::limits::IDEMPOTENCY_KEY_BYTES_MAX;
use sortie_rules::time::Millis;
use sortie_store::{Store, Tx, idempotency};
use sortie_wire::problem::ProblemCode;

use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// A request that may be a repetition. Without a key it never is.
#[derive(Debug, Clone)]
pub(crate) struct Once {
    org: OrgId,
    principal: std::sync::Arc<str>,
    route: &'static str,
    given: Option<(String, Vec<u8>)>,
}

impl Once {
    /// Reads the header. `body` tells a repetition from another request under the same key.
    pub(crate) fn from_headers(
        headers: &HeaderMap,
        who: &Principal,
        route: &'static str,
        body: &[u8],
    ) -> Result<Once, Fault> {
        let given = match headers.get("idempotency-key") {
            None => None,
            Some(value) => {
                let key = value.to_str().unwrap_or("");
                if key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
                    let detail = "An Idempotency-Key has 1 to 128 visible ASCII characters.";
                    return Err(refuse(ProblemCode::MalformedParameter, detail));
                }
                let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
                Some((key.to_owned(), hash.as_ref().to_vec()))
            }
        };
        Ok(Once { org: who.org, principal: who.key.clone(), route, given })
    }

    /// Whether a key was given at all.
    pub(crate) fn is_keyed(&self) -> bool {
        self.given.is_some()
    }

    /// The answer of the first request, if this is a repetition of it.
    pub(crate) async fn recall(&self, tx: &mut Tx) -> Result<Option<String>, Fault> {
        let Some((key, hash)) = &self.given else { return Ok(None) };
        let Some(row) = idempotency::recall(tx, self.org, &self.principal, key).await? else { return Ok(None) };
        if row.route != self.route || row.body_hash != *hash {
            let detail = "This Idempotency-Key was used for another request within the last 24 hours; use a new one.";
            return Err(refuse(ProblemCode::IdempotencyKeyReused, detail));
        }
        Ok(Some(row.answer))
    }

    /// The answer of the first request where this one was refused: that one may have been quicker by
    /// a moment, or what could be done then cannot be done any more. Else the refusal as it was.
    pub(crate) async fn recall_after(&self, store: &Store, refusal: Fault) -> Result<String, Fault> {
        if !self.is_keyed() || refusal.is_ours() {
            return Err(refusal);
        }
        let once = self.clone();
        let before = store.read(move |tx| Box::pin(async move { once.recall(tx).await })).await?;
        before.ok_or(refusal)
    }

    /// Writes down what a repetition shall be answered with.
    pub(crate) async fn remember(&self, tx: &mut Tx, answer: &str, now: Millis) -> Result<(), Fault> {
        let Some((key, hash)) = &self.given else { return Ok(()) };
        idempotency::remember(tx, self.org, &self.principal, key, self.route, hash, answer, now).await?;
        Ok(())
    }
}
