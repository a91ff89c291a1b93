//! The audit log as people read it. The fields of an entry stand in the order of their names, so that the entry
//! is written canonically: what is kept and exported is this text.

use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use sortie_rules::audit::{Canonical, Hash, Head};
use sortie_rules::ids::{OrgId, SessionId};
use sortie_rules::time::Millis;

use crate::envelope::Envelope;

/// Something that somebody did, or tried to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// What was done, for example `node.revoke`.
    pub action: String,
    /// Who did it.
    pub actor: AuditActor,
    /// From which address it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub address: Option<IpAddr>,
    /// When.
    pub at: Millis,
    /// What changed by it; no secrets and no payloads, but their digests.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "canonically")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub changes: Option<Value>,
    /// The id of the request, as its answer and the hub's log have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// To what it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<AuditObject>,
    /// In which org.
    pub org: OrgId,
    /// Whether it was done.
    pub outcome: AuditOutcome,
    /// Why it was refused, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<AuditRefusal>,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditActor {
    /// How they proved who they are: `token`, `account`, `provider`, `invite`, `node`; or `hub` itself.
    pub by: String,
    /// What tells them from others of the same name, for example `token:` and its id.
    pub key: String,
    /// Their name.
    pub name: String,
    /// The session with which they asked, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

/// To what something was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditObject {
    /// Its id, or its key.
    pub id: String,
    /// What it is: `node`, `task`, `token`, ….
    pub kind: String,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Whether something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// It was refused, and nothing was changed.
    Refused,
}

impl AuditOutcome {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            AuditOutcome::Done => "done",
            AuditOutcome::Refused => "refused",
        }
    }
}

/// Why something was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditRefusal {
    /// The code of the problem that it was answered with.
    pub code: String,
    /// How many refusals of the same caller were left out before this one, since there were too many.
    pub omitted: u64,
}

/// An entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditLink {
    /// What was done.
    pub entry: AuditEntry,
    /// The SHA-256 that is this link's hash, in hex.
    pub hash: String,
    /// Its place in the chain of the org, from 1.
    pub number: u64,
    /// The hash of the link before it, in hex; zeros before the first.
    pub previous: String,
}

/// Where an org's chain stands, signed by the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditHead {
    /// Where it stands.
    pub head: Head,
    /// The hub's signature over the canonical text of `head`.
    pub signed: Envelope,
}

/// The query of `GET /api/v1/audit`. What is left out does not narrow the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// The `next` of the page before: only links with a lower number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only what this one did, by name or key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Only this action, or those that begin with it and a dot, for example `token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only what was done to this, by id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Only what was done (`done`) or refused (`refused`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AuditOutcome>,
    /// Only what was done at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Millis>,
    /// Only what was done before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// Rows in the page, at most 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The query of `GET /api/v1/audit/export`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct AuditExportQuery {
    /// Begin after the link of this number; 0 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// End after so many links, or some 8 MiB; if absent, where the chain stands now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The SHA-256 of which the chain is made.
pub fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

fn canonically<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => Canonical(value).serialize(serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sortie_rules::audit::canonical;
    use sortie_rules::ids::DEFAULT_ORG;

    use super::*;

    #[test]
    fn an_entry_is_written_canonically() {
        let entry = AuditEntry {
            action: "node.revoke".to_owned(),
            actor: AuditActor {
                by: "account".to_owned(),
                key: "account:1".to_owned(),
                name: "anna".to_owned(),
                session: Some("01980c5e-7d1a-7c3e-9b7e-0123456789ab".parse().unwrap()),
            },
            address: Some("192.0.2.7".parse().unwrap()),
            at: Millis(1),
            changes: Some(json!({ "b": 1.5, "a": { "d": null, "c": [1] } })),
            correlation_id: Some("id".to_owned()),
            object: Some(AuditObject { id: "2".to_owned(), kind: "node".to_owned(), name: Some("box".to_owned()) }),
            org: DEFAULT_ORG,
            outcome: AuditOutcome::Refused,
            refused: Some(AuditRefusal { code: "forbidden".to_owned(), omitted: 3 }),
        };
        let text = serde_json::to_string(&entry).unwrap();
        assert_eq!(canonical(&serde_json::from_str(&text).unwrap()), text);
        let link = AuditLink { entry, hash: "1".to_owned(), number: 1, previous: "0".to_owned() };
        let text = serde_json::to_string(&link).unwrap();
        assert_eq!(canonical(&serde_json::from_str(&text).unwrap()), text);
    }
}
