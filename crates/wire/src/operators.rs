//! The operators whom a site believes: who they are, how many of them must sign the set that follows, and
//! the chain of sets in which each is signed by enough members of the one before.
//!
//! A site gets its first set by hand, never from the hub. What the hub hands on afterwards it cannot make.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sortie_rules::names::{BadName, check_name};
use sortie_rules::operators::{Refusal, Shape, begins, follows, stands};
use sortie_rules::time::Millis;

use crate::envelope::{Distrust, Envelope, SIGNATURES_MAX, Signature, pre_authentication_encoding};
use crate::resources::RESOURCE;
use crate::ssh::{SshKey, SshSignature, signed_text};

/// The payload type of a set of operators.
pub const OPERATORS: &str = "application/vnd.sortie.operators+json";
/// The purpose for which operators sign a set, as SSH signatures name it.
const OPERATORS_NAMESPACE: &str = "operators@sortie";
/// The purpose for which operators sign an operation.
const OPERATION_NAMESPACE: &str = "operation@sortie";
/// The purpose for which operators sign a resource.
const RESOURCE_NAMESPACE: &str = "resource@sortie";

/// A set of operators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OperatorSet {
    /// Rises by one with each set that follows; the first is 1.
    pub version: u64,
    /// How many members must sign the set that follows.
    pub needed: u32,
    /// The members.
    pub members: Vec<Operator>,
}

/// One operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// What the operator is called.
    pub name: String,
    /// The public key, as the line of a `.pub` file.
    pub key: SshKey,
}

/// Sets of operators in the order of their versions, each signed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OperatorChain {
    /// The sets, each in an envelope.
    pub links: Vec<Envelope>,
}

/// The query of a chain of operators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct OperatorsQuery {
    /// Only the sets after this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}

/// A set of operators as it was published at the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedOperators {
    /// The set.
    #[serde(flatten)]
    pub set: OperatorSet,
    /// The SHA-256 of the set as it was signed, in hex: its fingerprint.
    pub fingerprint: String,
    /// Who published it.
    pub published_by: String,
    /// When.
    pub published_at: Millis,
}

/// Why a set of operators is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBelieved {
    /// Its signatures count for nothing.
    #[error("the set of operators is not believed: {0}")]
    Distrusted(#[from] Distrust),
    /// It is signed, and cannot be read.
    #[error("what was signed is no set of operators: {0}")]
    Unreadable(String),
    /// It does not follow the one that stands.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Two members share a key.
    #[error("two members of the set have the same key")]
    SameKey,
    /// A member is called what nobody may be called.
    #[error("{0}")]
    BadName(#[from] BadName),
    /// There is no set in it.
    #[error("there is no set of operators in it")]
    Empty,
    /// It is another one than the one that was named.
    #[error("the set of operators has the fingerprint {found}, not {named}")]
    OtherFingerprint {
        /// The one that was named.
        named: String,
        /// Its own.
        found: String,
    },
}

/// A message that was signed with SSH keys, and by whom. Every signature on it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The message.
    pub message: Vec<u8>,
    /// The keys that have signed it, each once.
    pub keys: Vec<SshKey>,
}

/// A set of operators that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operators {
    set: OperatorSet,
    fingerprint: String,
}

impl OperatorSet {
    fn shape(&self) -> Shape {
        Shape { version: self.version, needed: self.needed, members: self.members.len() }
    }

    /// How many of these keys are members'.
    pub fn count(&self, keys: &[SshKey]) -> usize {
        self.members.iter().filter(|member| keys.contains(&member.key)).count()
    }

    /// The member whose key has this fingerprint.
    pub fn member(&self, fingerprint: &str) -> Option<&Operator> {
        self.members.iter().find(|member| member.key.fingerprint() == fingerprint)
    }
}

impl Operators {
    /// A first set.
    pub fn begin(link: &Envelope) -> Result<Operators, NotBelieved> {
        let (operators, signed) = Self::read(link)?;
        begins(operators.set.shape(), operators.set.count(&signed.keys))?;
        Ok(operators)
    }

    /// The set that follows this one.
    pub fn follow(&self, link: &Envelope) -> Result<Operators, NotBelieved> {
        let (next, signed) = Self::read(link)?;
        follows(self.set.shape(), next.set.shape(), self.set.count(&signed.keys))?;
        Ok(next)
    }

    /// The last set of a chain that begins with a first one.
    pub fn of(chain: &OperatorChain) -> Result<Operators, NotBelieved> {
        let (first, rest) = chain.links.split_first().ok_or(NotBelieved::Empty)?;
        rest.iter().try_fold(Self::begin(first)?, |operators, link| operators.follow(link))
    }

    /// A set that was believed before it was kept: its place in its chain is not looked at again.
    pub fn kept(link: &Envelope) -> Result<Operators, NotBelieved> {
        Ok(Self::read(link)?.0)
    }

    /// A set of which somebody who is believed has given the fingerprint, wherever in a chain it stands.
    pub fn pinned(link: &Envelope, fingerprint: &str) -> Result<Operators, NotBelieved> {
        let (operators, _) = Self::read(link)?;
        stands(operators.set.shape())?;
        if operators.fingerprint != fingerprint {
            let (named, found) = (fingerprint.to_owned(), operators.fingerprint);
            return Err(NotBelieved::OtherFingerprint { named, found });
        }
        Ok(operators)
    }

    fn read(link: &Envelope) -> Result<(Operators, Signed), NotBelieved> {
        let signed = open(link, OPERATORS, OPERATORS_NAMESPACE)?;
        let set: OperatorSet =
            serde_json::from_slice(&signed.message).map_err(|error| NotBelieved::Unreadable(error.to_string()))?;
        set.members.iter().try_for_each(|member| check_name("operator", &member.name))?;
        let has_twin =
            |(place, member): (usize, &Operator)| set.members[..place].iter().any(|earlier| earlier.key == member.key);
        if set.members.iter().enumerate().any(has_twin) {
            return Err(NotBelieved::SameKey);
        }
        let fingerprint = hex::encode(digest(&SHA256, &signed.message));
        Ok((Operators { set, fingerprint }, signed))
    }

    /// The set.
    pub fn set(&self) -> &OperatorSet {
        &self.set
    }

    /// The SHA-256 of the set as it was signed, in hex.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// The fingerprint of the set in an envelope, believed or not.
pub fn fingerprint_of(link: &Envelope) -> Option<String> {
    Some(hex::encode(digest(&SHA256, &BASE64.decode(&link.payload).ok()?)))
}

/// What a key signs of a set of operators.
pub fn text_of_operators(message: &[u8]) -> Vec<u8> {
    signed_text(OPERATORS_NAMESPACE, &pre_authentication_encoding(OPERATORS, message))
}

/// What a key signs of an operation.
pub fn text_of_operation(message: &[u8]) -> Vec<u8> {
    signed_text(OPERATION_NAMESPACE, &pre_authentication_encoding(crate::operations::OPERATION, message))
}

/// Adds what a key or an SSH agent gave for [`text_of_operators`].
pub fn sign_operators(link: &mut Envelope, key: SshKey, proof: Vec<u8>) {
    add(link, &SshSignature::new(key, OPERATORS_NAMESPACE, proof));
}

/// Adds what a key or an SSH agent gave for [`text_of_operation`].
pub fn sign_operation(envelope: &mut Envelope, key: SshKey, proof: Vec<u8>) {
    add(envelope, &SshSignature::new(key, OPERATION_NAMESPACE, proof));
}

/// A message that nobody has signed yet.
pub fn unsigned(payload_type: &str, message: &[u8]) -> Envelope {
    Envelope { payload_type: payload_type.to_owned(), payload: BASE64.encode(message), signatures: Vec::new() }
}

fn add(envelope: &mut Envelope, signature: &SshSignature) {
    let keyid = signature.key().fingerprint();
    envelope.signatures.retain(|earlier| earlier.keyid != keyid);
    envelope.signatures.push(Signature { keyid, sig: BASE64.encode(signature.encode()) });
}

/// The signed operation in an envelope.
pub fn open_operation(envelope: &Envelope) -> Result<Signed, Distrust> {
    open(envelope, crate::operations::OPERATION, OPERATION_NAMESPACE)
}

/// What a key signs of a resource.
pub fn text_of_resource(message: &[u8]) -> Vec<u8> {
    signed_text(RESOURCE_NAMESPACE, &pre_authentication_encoding(RESOURCE, message))
}

/// Adds what a key or an SSH agent gave for [`text_of_resource`].
pub fn sign_resource(envelope: &mut Envelope, key: SshKey, proof: Vec<u8>) {
    add(envelope, &SshSignature::new(key, RESOURCE_NAMESPACE, proof));
}

/// The signed statement of a resource in an envelope.
pub fn open_resource(envelope: &Envelope) -> Result<Signed, Distrust> {
    open(envelope, RESOURCE, RESOURCE_NAMESPACE)
}

/// The message, if every signature on it holds. Whose they are is for the caller to judge.
fn open(envelope: &Envelope, payload_type: &str, namespace: &str) -> Result<Signed, Distrust> {
    if envelope.payload_type != payload_type {
        return Err(Distrust::OtherType);
    }
    if envelope.signatures.len() > SIGNATURES_MAX {
        return Err(Distrust::Damaged);
    }
    let message = BASE64.decode(&envelope.payload).map_err(|_| Distrust::Damaged)?;
    let text = pre_authentication_encoding(payload_type, &message);
    let mut keys: Vec<SshKey> = Vec::with_capacity(envelope.signatures.len());
    for signature in &envelope.signatures {
        let bytes = BASE64.decode(&signature.sig).map_err(|_| Distrust::Damaged)?;
        let read = SshSignature::decode(&bytes).map_err(|_| Distrust::Damaged)?;
        if read.key().fingerprint() != signature.keyid {
            return Err(Distrust::Damaged);
        }
        read.verify(namespace, &text).map_err(|_| Distrust::BadSignature)?;
        if !keys.contains(read.key()) {
            keys.push(read.key().clone());
        }
    }
    Ok(Signed { message, keys })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::put;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    struct Hand {
        pair: Ed25519KeyPair,
        key: SshKey,
    }

    fn hand() -> Hand {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap();
        let mut encoded = Vec::new();
        put(&mut encoded, b"ssh-ed25519");
        put(&mut encoded, pair.public_key().as_ref());
        Hand { key: SshKey::decode(&encoded).unwrap(), pair }
    }

    impl Hand {
        fn sign(&self, link: &mut Envelope) {
            let message = BASE64.decode(&link.payload).unwrap();
            let mut proof = Vec::new();
            put(&mut proof, b"ssh-ed25519");
            put(&mut proof, self.pair.sign(&text_of_operators(&message)).as_ref());
            sign_operators(link, self.key.clone(), proof);
        }
    }

    fn set(version: u64, needed: u32, members: &[&Hand]) -> Envelope {
        let members = members.iter().map(|hand| Operator { name: "ada".into(), key: hand.key.clone() }).collect();
        unsigned(OPERATORS, &serde_json::to_vec(&OperatorSet { version, needed, members }).unwrap())
    }

    fn signed(mut link: Envelope, by: &[&Hand]) -> Envelope {
        by.iter().for_each(|hand| hand.sign(&mut link));
        link
    }

    #[test]
    fn a_chain_is_believed_as_far_as_each_set_was_signed_by_enough_of_the_one_before() {
        let (ada, bob, eve) = (hand(), hand(), hand());
        let first = signed(set(1, 2, &[&ada, &bob]), &[&ada, &bob]);
        let second = signed(set(2, 1, &[&eve]), &[&bob, &ada]);
        let chain = |links: &[&Envelope]| OperatorChain { links: links.iter().copied().cloned().collect() };
        let believed = Operators::of(&chain(&[&first, &second])).unwrap();
        assert_eq!((believed.set().version, believed.set().members[0].key == eve.key), (2, true));
        for link in [
            signed(set(2, 1, &[&eve]), &[&bob]),
            signed(set(2, 1, &[&eve]), &[&bob, &eve]),
            signed(set(2, 1, &[&eve]), &[&bob, &bob]),
            signed(set(3, 1, &[&eve]), &[&bob, &ada]),
            signed(set(1, 1, &[&eve]), &[&bob, &ada]),
            set(2, 1, &[&eve]),
        ] {
            assert!(matches!(Operators::of(&chain(&[&first, &link])), Err(NotBelieved::Refused(_))), "{link:?}");
        }
        assert_eq!(Operators::of(&chain(&[])), Err(NotBelieved::Empty));
        assert!(Operators::of(&chain(&[&second])).is_err(), "it is no first set");
        assert_eq!(Operators::begin(&signed(set(1, 1, &[&ada, &ada]), &[&ada])), Err(NotBelieved::SameKey));
    }

    #[test]
    fn a_set_whose_fingerprint_is_known_needs_no_set_before_it() {
        let (ada, bob) = (hand(), hand());
        let link = signed(set(5, 1, &[&ada]), &[&bob]);
        let fingerprint = fingerprint_of(&link).unwrap();
        assert_eq!(Operators::pinned(&link, &fingerprint).unwrap().set().version, 5);
        let other = Operators::pinned(&signed(set(5, 1, &[&bob]), &[&bob]), &fingerprint);
        assert!(matches!(other, Err(NotBelieved::OtherFingerprint { .. })), "{other:?}");
        let nobody = set(5, 1, &[]);
        assert!(Operators::pinned(&nobody, &fingerprint_of(&nobody).unwrap()).is_err());
    }

    #[test]
    fn one_bad_signature_spoils_all_of_them() {
        let (ada, bob) = (hand(), hand());
        let mut link = signed(set(1, 1, &[&ada]), &[&ada]);
        let other = signed(set(1, 1, &[&bob]), &[&bob]);
        link.signatures.push(other.signatures[0].clone());
        assert_eq!(Operators::begin(&link), Err(NotBelieved::Distrusted(Distrust::BadSignature)));
        link.signatures[1].keyid = ada.key.fingerprint();
        assert_eq!(Operators::begin(&link), Err(NotBelieved::Distrusted(Distrust::Damaged)));
        let mut operation = signed(set(1, 1, &[&ada]), &[&ada]);
        operation.payload_type = crate::operations::OPERATION.to_owned();
        assert_eq!(open_operation(&operation), Err(Distrust::BadSignature));
    }
}
