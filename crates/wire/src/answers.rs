//! Signed answers: what the hub answers to whoever did not see its own certificate bears a signature, over the
//! answer and over what it answers. Whatever opens the connection on the way can read it, and can neither
//! change it, nor make one, nor give an old one again.

use serde::Serialize;

use crate::assertions::body_hash;
use crate::envelope::{Signature, pre_authentication_encoding};

/// The header that carries an answer's signature: who signed, a space, the signature in base64.
///
/// To an assertion the hub answers with the id of one of its keys; to an enrolment with the number that TLS
/// gives the kind of the signature, which is by the key of the certificate that the answer carries.
pub const HEADER: &str = "sortie-signature";
/// What is signed is an answer.
pub const ANSWER: &str = "application/vnd.sortie.answer+json";
/// What is signed is the answer to an enrolment.
const ENROLLMENT: &str = "application/vnd.sortie.enrollment+json";

/// What is signed of an answer.
#[derive(Debug, Serialize)]
struct Signed<'a> {
    /// What it answers: the hash of the assertion, or the nonce of the invite's proof.
    to: &'a str,
    status: u16,
    body: &'a str,
}

/// What the answer to an assertion is signed for: the hash of the assertion as it was sent. It covers the key that
/// signed it, so that what the hub answers to one node is never its word to another.
pub fn answer_to(assertion: &str) -> String {
    body_hash(assertion.as_bytes())
}

/// The message that is signed for an answer.
pub fn signed(to: &str, status: u16, body: &[u8]) -> Vec<u8> {
    let message = Signed { to, status, body: &body_hash(body) };
    serde_json::to_vec(&message).unwrap_or_default()
}

/// The bytes that the key of the hub's certificate signs for the answer to an enrolment: encoded like every
/// message in an envelope, so that no signature in TLS is one of these.
pub fn endorsable(nonce: &str, body: &[u8]) -> Vec<u8> {
    pre_authentication_encoding(ENROLLMENT, &signed(nonce, 200, body))
}

/// The value of [`HEADER`].
pub fn header(signature: &Signature) -> String {
    format!("{} {}", signature.keyid, signature.sig)
}

/// Reads the value of [`HEADER`].
pub fn read(header: &str) -> Option<Signature> {
    let (keyid, sig) = header.split_once(' ')?;
    Some(Signature { keyid: keyid.to_owned(), sig: sig.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_over_the_answer_and_over_what_it_answers() {
        let plain = signed("id", 200, b"{}");
        assert_eq!(plain, signed("id", 200, b"{}"));
        for other in [signed("od", 200, b"{}"), signed("id", 201, b"{}"), signed("id", 200, b"[]")] {
            assert_ne!(plain, other);
        }
        let signature = Signature { keyid: "k".into(), sig: "c2ln".into() };
        assert_eq!(read(&header(&signature)), Some(signature));
        assert_eq!(read("nothing"), None);
    }
}
