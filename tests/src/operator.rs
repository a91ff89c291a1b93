//! An operator with a key of their own, who signs whatever the story says.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::value::RawValue;
use sortie_rules::time::{Millis, Span};
use sortie_wire::envelope::Envelope;
use sortie_wire::operations::{OPERATION, Operation, Statement};
use sortie_wire::operators::{
    OPERATORS, Operator as Member, OperatorSet, sign_operation, sign_operators, text_of_operation, text_of_operators,
    unsigned,
};
use sortie_wire::ssh::{Algorithm, SshKey, put};

/// An operator with a key of their own.
#[derive(Debug)]
pub struct Operator {
    name: String,
    pair: Ed25519KeyPair,
    key: SshKey,
}

impl Operator {
    /// Somebody of this name, with a fresh key.
    ///
    /// # Panics
    /// If no key can be made.
    pub fn new(name: &str) -> Operator {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key can be made");
        let pair = Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("what was made can be read");
        let mut encoded = Vec::new();
        put(&mut encoded, Algorithm::Ed25519.as_str().as_bytes());
        put(&mut encoded, pair.public_key().as_ref());
        let key = SshKey::decode(&encoded).expect("it is a key");
        Operator { name: name.to_owned(), pair, key }
    }

    /// The public half.
    pub fn key(&self) -> &SshKey {
        &self.key
    }

    /// As a member of a set.
    pub fn member(&self) -> Member {
        Member { name: self.name.clone(), key: self.key.clone() }
    }

    /// Adds a signature to what is said of an operation.
    ///
    /// # Panics
    /// If the envelope holds no message.
    pub fn sign(&self, envelope: &mut Envelope) {
        let proof = self.proof(&text_of_operation(&message(envelope)));
        sign_operation(envelope, self.key.clone(), proof);
    }

    /// Adds a signature to a set of operators.
    ///
    /// # Panics
    /// If the envelope holds no message.
    pub fn sign_set(&self, link: &mut Envelope) {
        let proof = self.proof(&text_of_operators(&message(link)));
        sign_operators(link, self.key.clone(), proof);
    }

    fn proof(&self, text: &[u8]) -> Vec<u8> {
        let mut proof = Vec::new();
        put(&mut proof, Algorithm::Ed25519.as_str().as_bytes());
        put(&mut proof, self.pair.sign(text).as_ref());
        proof
    }
}

/// A set of operators, signed by these.
///
/// # Panics
/// If a set cannot be JSON.
pub fn signed_set(version: u64, needed: u32, members: &[&Operator], by: &[&Operator]) -> Envelope {
    let members = members.iter().map(|one| one.member()).collect();
    let json = serde_json::to_vec(&OperatorSet { version, needed, members }).expect("JSON");
    let mut link = unsigned(OPERATORS, &json);
    by.iter().for_each(|one| one.sign_set(&mut link));
    link
}

/// What an operator would sign of an operation as the hub shows it, valid from `now`.
///
/// # Panics
/// If the hub did not send the payload.
pub fn statement_of(operation: &Operation, key: &SshKey, now: Millis) -> Statement {
    let payload: &RawValue = operation.payload.as_deref().expect("the payload is shown");
    Statement {
        op: operation.type_name.clone(),
        operation: operation.id,
        target: operation.target.clone(),
        params: payload.to_owned(),
        nonce: uuid::Uuid::new_v4().simple().to_string(),
        issued_at: now,
        expires_at: now + operation.valid_for.min(Span::hours(1)),
        key_id: key.fingerprint(),
    }
}

/// A statement, signed by these.
///
/// # Panics
/// If it cannot be JSON.
pub fn signed_statement(statement: &Statement, by: &[&Operator]) -> Envelope {
    let mut envelope = unsigned(OPERATION, &serde_json::to_vec(statement).expect("JSON"));
    by.iter().for_each(|one| one.sign(&mut envelope));
    envelope
}

fn message(envelope: &Envelope) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(&envelope.payload).expect("it holds a message")
}
