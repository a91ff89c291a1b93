//! How an agent comes in: the invite as text, the request with its key, the certificate it gets.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sortie_rules::ids::{InviteId, NodeId};
use sortie_rules::time::Millis;

use crate::assertions::body_hash;
use crate::keys::KeySet;

/// The scheme of the `Authorization` header with which somebody comes who holds an invite; see [`InviteProof`].
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

/// Proves that somebody holds an invite's secret without saying it, for one body:
/// `Authorization: Invite <invite id>.<nonce>.<hash of the body>.<tag>`. Whoever listens on the way learns
/// nothing with which another key could enrol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteProof {
    /// Which invite.
    pub invite: InviteId,
    /// Chance of the asker's, to which the answer is bound: at most 64 letters and digits.
    pub nonce: String,
    /// The SHA-256 of the body, in base64url.
    pub body: String,
    tag: Vec<u8>,
}

impl InviteProof {
    /// A proof for this body.
    pub fn new(invite: &Invite, nonce: &str, body: &[u8]) -> InviteProof {
        let body = body_hash(body);
        let tag = hmac::sign(&key(&invite.secret), &proven(invite.id, nonce, &body)).as_ref().to_vec();
        InviteProof { invite: invite.id, nonce: nonce.to_owned(), body, tag }
    }

    /// Reads the value of `Authorization`; `None` if it is none of these.
    pub fn read(authorization: &str) -> Option<InviteProof> {
        let (scheme, rest) = authorization.trim().split_once(' ')?;
        let mut parts = rest.trim().split('.');
        let (invite, nonce, body, tag) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_plain = (1..=64).contains(&nonce.len()) && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if scheme != AUTHORIZATION_SCHEME || parts.next().is_some() || !is_plain || body.len() != 43 {
            return None;
        }
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        Some(InviteProof { invite: invite.parse().ok()?, nonce: nonce.to_owned(), body: body.to_owned(), tag })
    }

    /// Whether whoever made it holds this secret. Takes the same time either way.
    pub fn holds(&self, secret: &str) -> bool {
        hmac::verify(&key(secret), &proven(self.invite, &self.nonce, &self.body), &self.tag).is_ok()
    }
}

impl fmt::Display for InviteProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tag = URL_SAFE_NO_PAD.encode(&self.tag);
        write!(f, "{AUTHORIZATION_SCHEME} {}.{}.{}.{tag}", self.invite, self.nonce, self.body)
    }
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

fn proven(invite: InviteId, nonce: &str, body: &str) -> Vec<u8> {
    format!("sortie-invite-proof-1\n{invite}\n{nonce}\n{body}").into_bytes()
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
    /// What the agent believes of the hub from now on.
    pub keys: KeySet,
    /// What the hub calls itself in assertions: their `aud`.
    pub hub_id: String,
    /// The certificate (PEM), with what vouches for it, by whose key this answer is signed. The agent holds it
    /// against the invite's fingerprint.
    pub chain: String,
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
    /// The version of the hub's key set; its chain is to be followed if that is higher than the one at hand.
    pub keys_version: u64,
    /// The hub's time.
    pub now: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;

    #[test]
    fn a_proof_is_for_one_body_and_tells_nothing_of_the_secret() {
        let invite = Invite {
            hub: "https://hub.example".into(),
            ca: "ab".repeat(32),
            id: Id::from_uuid(uuid::Uuid::from_u128(7)),
            secret: "s3cret".into(),
        };
        let text = InviteProof::new(&invite, "n0nce", b"body").to_string();
        assert!(!text.contains("s3cret"));
        let proof = InviteProof::read(&text).unwrap();
        assert_eq!((proof.invite, proof.body.as_str()), (invite.id, body_hash(b"body").as_str()));
        assert!(proof.holds("s3cret") && !proof.holds("secret"));
        let other = text.replace(&body_hash(b"body"), &body_hash(b"bodyguard"));
        assert!(!InviteProof::read(&other).unwrap().holds("s3cret"));
        for bad in [text.replace('.', "-"), text.replace("n0nce", ""), format!("{text}.x"), text.replace("Invite", "I")]
        {
            assert_eq!(InviteProof::read(&bad), None, "{bad}");
        }
    }

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
