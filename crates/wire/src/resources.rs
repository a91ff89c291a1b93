//! What operators sign of a resource that a site takes only with their signatures. It travels in the resource itself,
//! as `signed`: an envelope over a statement, with the signatures of as many operators as have signed.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sortie_rules::desired::{Resource, ResourceKey, signable};
use sortie_rules::time::Millis;

use crate::envelope::Envelope;
use crate::operations::Target;

/// The payload type of a signed resource.
pub const RESOURCE: &str = "application/vnd.sortie.resource+json";

/// What is signed of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceStatement {
    /// Which resource.
    pub resource: ResourceKey,
    /// The SHA-256, in hex, of all that decides what becomes of it.
    pub sha256: String,
    /// For which node; absent: for every node that believes the operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// When it was signed first, by that machine's clock.
    pub issued_at: Millis,
    /// Until when a node may take it for the first time.
    pub expires_at: Millis,
}

/// The SHA-256, in hex, of what operators sign of a resource.
pub fn sha256_of(resource: &Resource) -> String {
    hex::encode(digest(&SHA256, signable(resource).as_bytes()).as_ref())
}

/// What came with a resource as its signatures, if that can be read.
pub fn envelope_of(signed: &Value) -> Option<Envelope> {
    serde_json::from_value(signed.clone()).ok()
}
