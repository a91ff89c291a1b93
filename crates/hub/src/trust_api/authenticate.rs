//! Finds out which node is asking, from the key in `Authorization` or `X-API-Key`.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sortie_rules::ids::{NodeId, TrustKeyId};
use sortie_store::trust_keys;
use sortie_wire::problem::ProblemCode;

use crate::app::Shared;
use crate::fault::{Fault, refuse};
use crate::identity::secret_fits;

/// How a key begins, so that leaked ones are found by those who search for such things.
pub(super) const KEY_PREFIX: &str = "sortie_key_";

/// The node of a key that holds, and what its row must name for the key to count.
pub(crate) async fn authenticate(app: &Shared, headers: &HeaderMap) -> Result<(NodeId, String), Fault> {
    // One sentence for all that does not hold: a stranger learns nothing about which keys exist.
    let unknown = || {
        let detail = "Send the trust's key, as `sortie node add` printed it: `Authorization: Bearer sortie_key_…`, or \
                      the same in `X-API-Key`.";
        refuse(ProblemCode::Unauthenticated, detail)
    };
    let (id, secret) = given(headers).and_then(split).ok_or_else(unknown)?;
    let key = app.store.read(move |tx| Box::pin(async move { trust_keys::get(tx, id).await })).await?;
    let key = key.filter(|key| secret_fits(secret, &key.secret_hash)).ok_or_else(unknown)?;
    Ok((key.node, fingerprint(id)))
}

/// How a node's row names its key.
pub(super) fn fingerprint(id: TrustKeyId) -> String {
    format!("key:{id}")
}

fn given(headers: &HeaderMap) -> Option<&str> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().ok();
    }
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn split(key: &str) -> Option<(TrustKeyId, &str)> {
    let (id, secret) = key.strip_prefix(KEY_PREFIX)?.split_once('.')?;
    Some((id.parse().ok()?, secret))
}
