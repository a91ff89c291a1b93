//! How an agent comes in: the invite as text, the request with its key, the certificate it gets.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sortie_rules::ids::{InviteId, NodeId};
use sortie_rules::time::Millis;

use crate::keys::KeySet;

/// The scheme of the `Authorization` header that carries an invite's secret:
/// `Authorization: Invite <invite id>.<secret>`.
pub const AUTHORIZATION_SCHEME: &str = "Invite";

const PREFIX: &str = "sortie-invite-1.";

/// What a person carries from the hub to the site: one line of text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// Where the hub is, for example `https://hub.example:8443`.
    pub hub: String,
    /// The SHA-256 of the certificate (DER) that the hub's chain ends in, in hex. The agent believes
    /// no other hub.
    pub ca: String,
    /// Which invite.
    pub id: InviteId,
    /// Its secret, in base64url.
    pub secret: String,
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Invite({} for {}, secret withheld)", self.id, self.hub)
    }
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| fmt::Error)?;
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }
}

/// The text is not an invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an invite; an invite is one line that begins with `sortie-invite-1.` (was it cut when copied?)")]
pub struct NotAnInvite;

impl FromStr for Invite {
    type Err = NotAnInvite;

    fn from_str(text: &str) -> Result<Invite, NotAnInvite> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(NotAnInvite)?;
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| NotAnInvite)?;
        serde_json::from_slice(&json).map_err(|_| NotAnInvite)
    }
}

/// The body of `POST /agent/v1/enroll`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Enroll {
    /// A certificate request (PKCS#10, PEM) signed with the agent's Ed25519 key. Only its key is
    /// used; the hub decides on every name.
    pub certificate_request: String,
    /// What the agent says of its machine.
    pub facts: Facts,
}

/// What an agent says of its machine. Facts, never intent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The agent's version.
    pub version: String,
    /// The operating system, for example `linux`.
    pub os: String,
    /// The processor, for example `x86_64`.
    pub arch: String,
    /// The machine's own name.
    pub hostname: String,
    /// The task types that the agent's policy lets run.
    #[serde(default)]
    pub types: Vec<String>,
}

/// The answer to `POST /agent/v1/enroll`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolled {
    /// The node's id from now on.
    pub node: NodeId,
    /// The node's name, as the invite said.
    pub name: String,
    /// The certificate with which the agent proves itself.
    pub certificate: Certificate,
    /// The certificates (PEM) of which one must vouch for the hub from now on.
    pub trust: String,
    /// The keys with which the hub signs.
    pub keys: KeySet,
    /// The hub's time.
    pub now: Millis,
}

/// A node's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Certificate {
    /// The certificate and what vouches for it (PEM).
    pub chain: String,
    /// From when it holds.
    pub not_before: Millis,
    /// Until when it holds.
    pub not_after: Millis,
}

/// The body of `POST /agent/v1/renew`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Renew {
    /// A certificate request (PKCS#10, PEM) signed with the node's key.
    pub certificate_request: String,
    /// What the agent says of its machine.
    pub facts: Facts,
}

/// The answer to `POST /agent/v1/renew`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Renewed {
    /// The new certificate.
    pub certificate: Certificate,
    /// The certificates (PEM) of which one must vouch for the hub from now on.
    pub trust: String,
    /// The keys with which the hub signs.
    pub keys: KeySet,
    /// The hub's time.
    pub now: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;

    #[test]
    fn an_invite_survives_being_copied_as_text() {
        let invite = Invite {
            hub: "https://hub.example:8443".into(),
            ca: "ab".repeat(32),
            id: Id::from_uuid(uuid::Uuid::from_u128(7)),
            secret: "s3cret".into(),
        };
        assert_eq!(format!(" {invite}\n").parse::<Invite>(), Ok(invite.clone()));
        assert!(!format!("{invite:?}").contains("s3cret"));
        let text = invite.to_string();
        assert_eq!(text[..text.len() - 9].parse::<Invite>(), Err(NotAnInvite));
        assert_eq!("".parse::<Invite>(), Err(NotAnInvite));
    }
}
