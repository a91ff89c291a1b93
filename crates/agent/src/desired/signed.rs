//! The site's word on a resource that operators must have signed: what was signed is opened, members of the set that
//! stands are counted, and `rules` decides.

use serde::{Deserialize, Serialize};
use sortie_rules::desired::{Resource, ResourceDemand, ResourceKey, SignedResource, judge_signed};
use sortie_rules::ids::NodeId;
use sortie_rules::time::Millis;
use sortie_wire::operators::open_resource;
use sortie_wire::resources::{ResourceStatement, envelope_of, sha256_of};

use super::trouble::Trouble;
use crate::operations::Known;

/// What a site holds it against.
#[derive(Debug)]
pub(super) struct Site<'s> {
    pub(super) node: NodeId,
    /// The fingerprint of the node's key.
    pub(super) key: &'s str,
    /// How many must have signed, by the site's policy.
    pub(super) needed: u32,
    /// Who may.
    pub(super) known: &'s Known,
    /// The later of the site's time and the hub's.
    pub(super) now: Millis,
    /// What was taken before.
    pub(super) before: Option<&'s Taken>,
}

/// A signed resource that was taken: nothing that was signed before it is taken any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Taken {
    /// When it was signed.
    pub(super) issued_at: Millis,
    /// Until when it could be taken for the first time.
    pub(super) expires_at: Millis,
    /// The SHA-256 of what was signed of it.
    pub(super) sha256: String,
}

/// The resource is taken, or refused.
pub(super) fn judge(key: &ResourceKey, resource: &Resource, site: &Site<'_>) -> Result<Taken, Trouble> {
    let Some(signed) = &resource.signed else {
        let message = "the policy of this site takes this resource only if operators have signed it, and none has; \
         sign \
                       it with `sortie state sign`, and publish it";
        return Err(Trouble::refused("signature_needed", message));
    };
    let Known::Set(believed) = site.known else {
        let message = "operators must have signed it, and this site knows none yet; `sortie agent operators` says more";
        return Err(Trouble::refused("operators_unknown", message));
    };
    let invalid = |why: String| Trouble::refused("signature_invalid", format!("what operators signed: {why}"));
    let envelope = envelope_of(signed).ok_or_else(|| invalid("it cannot be read".to_owned()))?;
    let opened = open_resource(&envelope).map_err(|error| invalid(error.to_string()))?;
    let statement: ResourceStatement =
        serde_json::from_slice(&opened.message).map_err(|error| invalid(error.to_string()))?;
    let sha256 = sha256_of(resource);
    let claims = SignedResource {
        resource: &statement.resource,
        sha256: &statement.sha256,
        target: statement.target.as_ref().map(|target| (target.node, target.key.as_str())),
        issued_at: statement.issued_at,
        expires_at: statement.expires_at,
        signed: believed.operators.set().count(&opened.keys),
    };
    let demand = ResourceDemand {
        resource: key,
        sha256: &sha256,
        node: site.node,
        key: site.key,
        needed: site.needed,
        now: site.now,
        before: site.before.map(|before| (before.issued_at, before.sha256.as_str())),
    };
    judge_signed(claims, demand).map_err(|refusal| Trouble::refused(refusal.as_str(), refusal.to_string()))?;
    Ok(Taken { issued_at: statement.issued_at, expires_at: statement.expires_at, sha256 })
}
