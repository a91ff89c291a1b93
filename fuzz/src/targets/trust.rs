//! Readers on whose word somebody is believed: a changed message must never be.

use std::sync::OnceLock;

use sortie_wire::envelope::{DELIVERY, Envelope, Signer, Verifier};
use sortie_wire::keys::KeySet;

use super::messages;
use super::target::{Examples, Reader, Target, Verdict, of_bytes};

/// The readers.
pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "signed_envelope",
        bytes_max: 8 << 10,
        examples: Examples::Made(|| vec![signed().1.clone()]),
        reader: Reader::Bytes(open),
    },
    Target {
        name: "verifier",
        bytes_max: 8 << 10,
        examples: Examples::Made(|| {
            let set = KeySet { version: 1, keys: vec![signed().0.public_key()], ..KeySet::default() };
            vec![serde_json::to_vec(&set).unwrap_or_default()]
        }),
        reader: Reader::Bytes(trusted),
    },
    of_bytes(
        "passed_on",
        16 << 10,
        &[r#"{"a":1,"b":[{"a":null}],"c":"\u0061"}"#, "1e5", r#"{"a":1,"a":2}"#],
        messages::passed_on,
    ),
    Target {
        name: "invite",
        bytes_max: 16 << 10,
        examples: Examples::Made(|| {
            let invite = sortie_wire::enrollment::Invite {
                hub: "https://hub.example:8443".into(),
                ca: "ab".repeat(32),
                id: sortie_rules::ids::Id::from_uuid(uuid::Uuid::from_u128(7)),
                secret: "s3cret".into(),
            };
            vec![invite.to_string().into_bytes()]
        }),
        reader: Reader::Text(invite),
    },
];

const MESSAGE: &[u8] = b"{\"node\":\"01980c5e-7d1a-7c3e-9b7e-0123456789ab\",\"number\":1}";

/// PKCS#8 around a key of 32 bytes that everybody knows.
pub(super) fn known_key(byte: u8) -> Vec<u8> {
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend_from_slice(&[byte; 32]);
    der
}

/// The hub's key of every look, and the one message that it has signed: a look is the same each time.
pub(super) fn signed() -> &'static (Signer, Vec<u8>) {
    static SIGNED: OnceLock<(Signer, Vec<u8>)> = OnceLock::new();
    SIGNED.get_or_init(|| {
        let signer = Signer::from_pkcs8(&known_key(7)).expect("it is a key");
        let envelope = serde_json::to_vec(&signer.sign(DELIVERY, MESSAGE)).expect("it is JSON");
        (signer, envelope)
    })
}

/// An envelope is believed only if it holds what was signed.
fn open(input: &[u8]) -> Verdict {
    let envelope: Envelope = match serde_json::from_slice(input) {
        Ok(envelope) => envelope,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let set = KeySet { version: 1, keys: vec![signed().0.public_key()], ..KeySet::default() };
    let verifier = Verifier::new(&set).expect("the set is sound");
    match verifier.open(&envelope, DELIVERY) {
        Ok(message) if message == MESSAGE => Verdict::Read,
        Ok(message) => Verdict::Broken(format!("a changed message is believed: {}", String::from_utf8_lossy(&message))),
        Err(distrust) => Verdict::Refused(distrust.to_string()),
    }
}

/// A key set is taken only if each key is the one that its id says; and it believes no other's signature.
fn trusted(input: &[u8]) -> Verdict {
    let set: KeySet = match serde_json::from_slice(input) {
        Ok(set) => set,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let Ok(verifier) = Verifier::new(&set) else { return Verdict::Refused("no keys".to_owned()) };
    let (signer, _) = signed();
    let own = signer.public_key();
    let opened = verifier.open(&signer.sign(DELIVERY, MESSAGE), DELIVERY).is_ok();
    if opened && !set.keys.contains(&own) {
        return Verdict::Broken("a key that is not in the set is believed".to_owned());
    }
    Verdict::Read
}

fn invite(text: &str) -> Verdict {
    match text.parse::<sortie_wire::enrollment::Invite>() {
        Ok(invite) if invite.to_string().parse() == Ok(invite.clone()) => Verdict::Read,
        Ok(_) => Verdict::Broken("what it prints is another invite".to_owned()),
        Err(error) => Verdict::Refused(error.to_string()),
    }
}
