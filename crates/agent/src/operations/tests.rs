//! Operators and what they sign, for the tests of this room.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use sortie_wire::envelope::Envelope;
use sortie_wire::operators::{
    OPERATORS, Operator, OperatorChain, OperatorSet, fingerprint_of, sign_operators, text_of_operators, unsigned,
};
use sortie_wire::ssh::SshKey;

/// An operator with a key at hand.
pub(crate) struct Hand {
    pair: Ed25519KeyPair,
    key: SshKey,
}

fn put(text: &mut Vec<u8>, string: &[u8]) {
    text.extend_from_slice(&u32::try_from(string.len()).unwrap().to_be_bytes());
    text.extend_from_slice(string);
}

impl Hand {
    /// The operator of this number.
    pub(crate) fn new(number: u8) -> Hand {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap();
        let mut encoded = Vec::new();
        put(&mut encoded, b"ssh-ed25519");
        put(&mut encoded, pair.public_key().as_ref());
        Hand { key: SshKey::decode(&encoded).unwrap(), pair }
    }

    fn proof(&self, text: &[u8]) -> Vec<u8> {
        let mut proof = Vec::new();
        put(&mut proof, b"ssh-ed25519");
        put(&mut proof, self.pair.sign(text).as_ref());
        proof
    }
}

/// A set of these members, signed by those.
pub(crate) fn set(version: u64, needed: u32, members: &[&Hand], by: &[&Hand]) -> Envelope {
    let members = members.iter().map(|hand| Operator { name: "ada".into(), key: hand.key.clone() }).collect();
    let message = serde_json::to_vec(&OperatorSet { version, needed, members }).unwrap();
    let mut link = unsigned(OPERATORS, &message);
    by.iter().for_each(|hand| sign_operators(&mut link, hand.key.clone(), hand.proof(&text_of_operators(&message))));
    link
}

pub(crate) fn chain(links: &[&Envelope]) -> OperatorChain {
    OperatorChain { links: links.iter().map(|link| (*link).clone()).collect() }
}

pub(crate) fn fingerprint(link: &Envelope) -> String {
    fingerprint_of(link).unwrap()
}
