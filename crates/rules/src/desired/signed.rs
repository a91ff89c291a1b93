//! Whether a site takes a resource that operators must have signed. What they sign is the resource as the node gets it:
//! its key, its spec, what it comes after and what becomes of drift; of secrets only that one stands there. The
//! signature stays with the resource for as long as it is meant, so its dates bind only the first time.

use serde_json::{Map, Value, json};

use super::key::ResourceKey;
use super::resources::Resource;
use super::secrets::{SEALED, SECRET};
use crate::audit::canonical;
use crate::ids::NodeId;
use crate::limits::{OPERATION_LIFE_MAX, OPERATOR_CLOCK_AHEAD_MAX};
use crate::time::{Millis, Span};

/// What was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedResource<'a> {
    /// Which resource.
    pub resource: &'a ResourceKey,
    /// The SHA-256 of its [`signable`] text, in hex.
    pub sha256: &'a str,
    /// For which node and which key of it; absent: for every node that believes the operators.
    pub target: Option<(NodeId, &'a str)>,
    /// When it was signed first, by the operator's clock.
    pub issued_at: Millis,
    /// Until when a node may take it for the first time.
    pub expires_at: Millis,
    /// How many operators of the set that stands have signed it.
    pub signed: usize,
}

/// What the site holds it against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceDemand<'a> {
    /// The resource that came.
    pub resource: &'a ResourceKey,
    /// The SHA-256 of its [`signable`] text, in hex.
    pub sha256: &'a str,
    /// This node.
    pub node: NodeId,
    /// The fingerprint of this node's key.
    pub key: &'a str,
    /// How many operators must have signed, by the site's policy.
    pub needed: u32,
    /// The later of the site's own time and the hub's signed time.
    pub now: Millis,
    /// When the one was signed that was taken before, and its SHA-256.
    pub before: Option<(Millis, &'a str)>,
}

/// Why it is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// Too few have signed.
    #[error("the policy of this site demands {needed} signatures of operators whom it knows; there are {signed}")]
    TooFew {
        /// How many must.
        needed: u32,
        /// How many have.
        signed: usize,
    },
    /// Another resource was signed, or this one as it is not any more.
    #[error("what was signed is not this resource as it is meant now; sign it again")]
    OtherContent,
    /// It was signed for another node, or for this one before it enrolled anew.
    #[error("it was signed for another node, or for this node before it enrolled anew; sign it again")]
    OtherTarget,
    /// It can be taken for longer than may be.
    #[error("it can be taken for longer than {OPERATION_LIFE_MAX}, or its time ends before it begins")]
    TooLong,
    /// What was taken before is newer.
    #[error("it was signed before what this site has taken; sign it again if it is meant")]
    Older,
    /// Its time has passed.
    #[error("its time has passed by the later of this site's clock and the hub's; sign it again")]
    Expired,
    /// It was signed in the future.
    #[error("it was signed {0} in the future; look at the clock of the machine on which it was signed")]
    NotYetValid(Span),
}

impl Unsigned {
    /// The stable word for it, as a condition's reason.
    pub const fn as_str(self) -> &'static str {
        match self {
            Unsigned::TooFew { .. } => "signatures_too_few",
            Unsigned::OtherContent => "signed_otherwise",
            Unsigned::OtherTarget => "signed_for_another",
            Unsigned::TooLong => "signed_for_too_long",
            Unsigned::Older => "signed_before",
            Unsigned::Expired => "signature_expired",
            Unsigned::NotYetValid(_) => "signed_in_the_future",
        }
    }
}

/// The text of a resource whose SHA-256 operators sign: canonical JSON of all that decides what becomes of it.
pub fn signable(resource: &Resource) -> String {
    let mut after = resource.after.clone();
    after.sort();
    after.dedup();
    let spec = Value::Object(without_secrets(&resource.spec));
    canonical(&json!({ "after": after, "drift": resource.drift, "spec": spec }))
}

fn without_secrets(fields: &Map<String, Value>) -> Map<String, Value> {
    fields.iter().map(|(name, value)| (name.clone(), without_secret(value))).collect()
}

fn without_secret(value: &Value) -> Value {
    match value {
        Value::Object(fields) if fields.contains_key(SECRET) || fields.contains_key(SEALED) => json!({ SECRET: null }),
        Value::Object(fields) => Value::Object(without_secrets(fields)),
        Value::Array(items) => items.iter().map(without_secret).collect(),
        other => other.clone(),
    }
}

/// Says whether it is taken.
pub fn judge_signed(signed: SignedResource<'_>, demand: ResourceDemand<'_>) -> Result<(), Unsigned> {
    let SignedResource { issued_at, expires_at, .. } = signed;
    let ResourceDemand { now, before, .. } = demand;
    let needed = demand.needed.max(1);
    if signed.signed < needed as usize {
        return Err(Unsigned::TooFew { needed, signed: signed.signed });
    }
    if signed.resource != demand.resource || signed.sha256 != demand.sha256 {
        return Err(Unsigned::OtherContent);
    }
    if signed.target.is_some_and(|target| target != (demand.node, demand.key)) {
        return Err(Unsigned::OtherTarget);
    }
    if expires_at <= issued_at || expires_at.since(issued_at) > OPERATION_LIFE_MAX {
        return Err(Unsigned::TooLong);
    }
    match before {
        Some((at, sha256)) if at == issued_at && sha256 == demand.sha256 => return Ok(()),
        Some((at, _)) if at >= issued_at => return Err(Unsigned::Older),
        _ => {}
    }
    if now > expires_at {
        return Err(Unsigned::Expired);
    }
    if issued_at > now + OPERATOR_CLOCK_AHEAD_MAX {
        return Err(Unsigned::NotYetValid(issued_at.since(now)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::resources::Drift;
    use super::*;
    use crate::ids::Id;
    use uuid::Uuid;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn node(number: u128) -> NodeId {
        Id::from_uuid(Uuid::from_u128(number))
    }
    fn resource(spec: Value) -> Resource {
        let Value::Object(spec) = spec else { panic!("an object") };
        let after = vec!["file/b".parse().unwrap(), "file/a".parse().unwrap()];
        Resource { spec, after, drift: Drift::Report, signed: None }
    }

    #[test]
    fn what_is_signed_is_all_that_decides_and_no_secret() {
        let written = signable(&resource(json!({"b": [1, {"$secret": "wifi"}], "a": "x"})));
        let expected = r#"{"after":["file/a","file/b"],"drift":"report","spec":{"a":"x","b":[1,{"$secret":null}]}}"#;
        assert_eq!(written, expected);
        let sealed = resource(json!({"a": "x", "b": [1, {"$sealed": {"enc": "e", "ct": "c"}}]}));
        assert_eq!(signable(&sealed), written, "the node signs for the same");
        assert_ne!(signable(&Resource { drift: Drift::Correct, ..sealed }), written);
    }

    #[test]
    fn each_demand_of_the_site_is_held_against_what_was_signed() {
        let (key, other) = ("file/a".parse().unwrap(), "file/b".parse().unwrap());
        let signed = SignedResource {
            resource: &key,
            sha256: "aa",
            target: Some((node(1), "k")),
            issued_at: NOW,
            expires_at: NOW + Span::days(1),
            signed: 2,
        };
        let demand =
            ResourceDemand { resource: &key, sha256: "aa", node: node(1), key: "k", needed: 2, now: NOW, before: None };
        assert_eq!(judge_signed(signed, demand), Ok(()));
        assert_eq!(judge_signed(SignedResource { target: None, ..signed }, demand), Ok(()));
        let too_few = Unsigned::TooFew { needed: 3, signed: 2 };
        for (signed, demand, refusal) in [
            (signed, ResourceDemand { needed: 3, ..demand }, too_few),
            (
                SignedResource { signed: 0, ..signed },
                ResourceDemand { needed: 0, ..demand },
                Unsigned::TooFew { needed: 1, signed: 0 },
            ),
            (SignedResource { resource: &other, ..signed }, demand, Unsigned::OtherContent),
            (SignedResource { sha256: "bb", ..signed }, demand, Unsigned::OtherContent),
            (signed, ResourceDemand { node: node(2), ..demand }, Unsigned::OtherTarget),
            (signed, ResourceDemand { key: "l", ..demand }, Unsigned::OtherTarget),
            (SignedResource { expires_at: NOW, ..signed }, demand, Unsigned::TooLong),
            (SignedResource { expires_at: NOW + Span::days(31), ..signed }, demand, Unsigned::TooLong),
            (signed, ResourceDemand { now: NOW + Span::days(2), ..demand }, Unsigned::Expired),
            (signed, ResourceDemand { before: Some((NOW + Span(1), "cc")), ..demand }, Unsigned::Older),
            (signed, ResourceDemand { before: Some((NOW, "cc")), ..demand }, Unsigned::Older),
        ] {
            assert_eq!(judge_signed(signed, demand), Err(refusal), "{signed:?} {demand:?}");
        }
        let early = ResourceDemand { now: NOW - Span::days(1), ..demand };
        assert!(matches!(judge_signed(signed, early), Err(Unsigned::NotYetValid(_))));
    }

    #[test]
    fn what_was_taken_stays_taken_when_its_time_has_passed() {
        let key = "file/a".parse().unwrap();
        let signed = SignedResource {
            resource: &key,
            sha256: "aa",
            target: None,
            issued_at: NOW,
            expires_at: NOW + Span::days(1),
            signed: 1,
        };
        let years_later = NOW + Span::days(1000);
        let demand = ResourceDemand {
            resource: &key,
            sha256: "aa",
            node: node(1),
            key: "k",
            needed: 1,
            now: years_later,
            before: Some((NOW, "aa")),
        };
        assert_eq!(judge_signed(signed, demand), Ok(()));
        assert_eq!(judge_signed(signed, ResourceDemand { before: None, ..demand }), Err(Unsigned::Expired));
    }
}
