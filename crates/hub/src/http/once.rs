//! `Idempotency-Key`: a request that is repeated because its answer was lost gets the answer of the
//! first, and changes nothing. The key is written in the transaction of what it protects.

use axum::http::HeaderMap;
use sortie_rules::ids::OrgId;
use sortie_rules::limits::IDEMPOTENCY_KEY_BYTES_MAX;
use sortie_rules::time::Millis;
use sortie_store::idempotency::Remembered;
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
    given: Option<String>,
    body_hash: [u8; 32],
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
                Some(key.to_owned())
            }
        };
        let mut body_hash = [0; 32];
        body_hash.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body).as_ref());
        Ok(Once { org: who.org, principal: who.key.clone(), route, given, body_hash })
    }

    /// Whether a key was given at all.
    pub(crate) fn is_keyed(&self) -> bool {
        self.given.is_some()
    }

    /// The SHA-256 of the request's body, in hex: what the audit log has of it.
    pub(crate) fn body_sha256(&self) -> String {
        hex::encode(self.body_hash)
    }

    /// The answer of the first request, if this is a repetition of it.
    pub(crate) async fn recall(&self, tx: &mut Tx) -> Result<Option<String>, Fault> {
        let Some(key) = &self.given else { return Ok(None) };
        let Some(row) = idempotency::recall(tx, self.org, &self.principal, key).await? else { return Ok(None) };
        if row.route != self.route || row.body_hash != self.body_hash {
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
        let Some(answer) = self.remembered(answer, now) else { return Ok(()) };
        Ok(idempotency::remember(tx, answer).await?)
    }

    /// What is written down with that; nothing for a request without a key.
    pub(crate) fn remembered<'a>(&'a self, answer: &'a str, at: Millis) -> Option<Remembered<'a>> {
        let key = self.given.as_deref()?;
        let (org, principal, route) = (self.org, &*self.principal, self.route);
        Some(Remembered { org, principal, key, route, body_hash: &self.body_hash, answer, at })
    }
}
