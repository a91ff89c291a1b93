//! Readers of what operators and nodes have signed with keys of their own: nothing but what they signed may be
//! believed to be theirs.

use std::sync::OnceLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use sortie_agent::doors::Judged;
use sortie_rules::ids::Id;
use sortie_rules::time::Millis;
use sortie_wire::assertions::{Asserter, Claims, body_hash};
use sortie_wire::envelope::{Envelope, KEYS};
use sortie_wire::key_chain::follow;
use sortie_wire::keys::{KeyChain, KeySet, TrustedAuthority};
use sortie_wire::operations::OPERATION;
use sortie_wire::operators::{
    OPERATORS, Operator, OperatorChain, OperatorSet, Operators, open_operation, sign_operation, sign_operators,
    text_of_operation, text_of_operators, unsigned,
};
use sortie_wire::ssh::{SshKey, SshSignature, put, signed_text};

use super::target::{Examples, Reader, Target, Verdict, of_text};
use super::trust::{known_key, signed};

/// The readers.
pub(super) const TARGETS: &[Target] = &[
    of_text(
        "ssh_key",
        4096,
        &["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKJ0Pw2M3mqLBt1TDBqRdQdUkl0J9dGVUHDNqlTHuOQF ada", "ssh-rsa AAAA x"],
        ssh_key,
    ),
    made("ssh_signature", 4096, || vec![signature().encode()], Reader::Bytes(ssh_signature)),
    made("signed_operation", 8 << 10, || vec![json(operation())], Reader::Bytes(signed_operation)),
    made("statement", 8 << 10, || vec![json(ordered())], Reader::Bytes(statement)),
    made("operator_sets", 16 << 10, || vec![json(&operators())], Reader::Bytes(operator_sets)),
    made("key_sets", 16 << 10, || vec![json(&keys().1)], Reader::Bytes(key_sets)),
    made("assertion", 4096, || vec![assertion().into_bytes()], Reader::Text(asserted)),
];

const fn made(name: &'static str, bytes_max: usize, examples: fn() -> Vec<Vec<u8>>, reader: Reader) -> Target {
    Target { name, bytes_max, examples: Examples::Made(examples), reader }
}

const STATEMENT: &[u8] = b"{\"op\":\"host.reboot\"}";
/// What she orders of node 2, whose key is `aa`, as task 1.
const ORDER: &str = "{\"op\":\"host.reboot\",\"operation\":\"00000000-0000-0000-0000-000000000001\",\
    \"target\":{\"node\":\"00000000-0000-0000-0000-000000000002\",\"key\":\"aa\"},\"params\":{\"delay_s\":5},\
    \"nonce\":\"0123456789abcdef0123456789abcdef\",\"issued_at\":1000,\"expires_at\":9000,\"key_id\":\"ada\"}";

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("it is JSON")
}

/// The operator of every look.
fn ada() -> &'static (Ed25519KeyPair, SshKey) {
    static ADA: OnceLock<(Ed25519KeyPair, SshKey)> = OnceLock::new();
    ADA.get_or_init(|| {
        let pair = Ed25519KeyPair::from_pkcs8(&known_key(9)).expect("it is a key");
        let mut encoded = Vec::new();
        put(&mut encoded, b"ssh-ed25519");
        put(&mut encoded, pair.public_key().as_ref());
        let key = SshKey::decode(&encoded).expect("it is a key");
        (pair, key)
    })
}

/// What an SSH agent would give for a text.
fn proof(text: &[u8]) -> Vec<u8> {
    let mut proof = Vec::new();
    put(&mut proof, b"ssh-ed25519");
    put(&mut proof, ada().0.sign(text).as_ref());
    proof
}

fn signature() -> SshSignature {
    SshSignature::new(ada().1.clone(), "file", proof(&signed_text("file", STATEMENT)))
}

/// A whole operation, and the one that she has signed of it.
fn ordered() -> &'static Envelope {
    static ORDERED: OnceLock<Envelope> = OnceLock::new();
    ORDERED.get_or_init(|| {
        let text = ORDER.as_bytes();
        let mut envelope = unsigned(OPERATION, text);
        sign_operation(&mut envelope, ada().1.clone(), proof(&text_of_operation(text)));
        envelope
    })
}

fn operation() -> &'static Envelope {
    static OPERATION_OF_ADA: OnceLock<Envelope> = OnceLock::new();
    OPERATION_OF_ADA.get_or_init(|| {
        let mut envelope = unsigned(OPERATION, STATEMENT);
        sign_operation(&mut envelope, ada().1.clone(), proof(&text_of_operation(STATEMENT)));
        envelope
    })
}

/// Two sets of operators, the second signed as the first demands.
fn operators() -> OperatorChain {
    let set = |version: u64, names: &[&str]| {
        let member = |name: &&str| Operator { name: (*name).to_owned(), key: ada().1.clone() };
        let message = json(&OperatorSet { version, needed: 1, members: names.iter().map(member).collect() });
        let mut link = unsigned(OPERATORS, &message);
        sign_operators(&mut link, ada().1.clone(), proof(&text_of_operators(&message)));
        link
    };
    OperatorChain { links: vec![set(1, &["ada"]), set(2, &["ada-lovelace"])] }
}

/// A set of the hub's keys, and a chain that leads from it to the next.
fn keys() -> &'static (KeySet, KeyChain, KeySet) {
    static KEY_SETS: OnceLock<(KeySet, KeyChain, KeySet)> = OnceLock::new();
    KEY_SETS.get_or_init(|| {
        let signer = &signed().0;
        let authority = TrustedAuthority { fingerprint: "ab".into(), certificate: "PEM".into() };
        let set = |version| KeySet {
            version,
            keys: vec![signer.public_key()],
            authorities: vec![authority.clone()],
            ..KeySet::default()
        };
        let chain = KeyChain { links: vec![signer.sign(KEYS, &json(&set(2)))], newest: 2 };
        (set(1), chain, set(2))
    })
}

fn claims() -> Claims {
    Claims {
        sub: Id::from_uuid(uuid::Uuid::from_u128(7)),
        aud: "hub".into(),
        iat: 1_700_000_000,
        exp: 1_700_000_060,
        jti: "0123456789abcdef0123456789abcdef".into(),
        method: "GET".into(),
        target: "/agent/v1/keys".into(),
        body: body_hash(b""),
    }
}

fn assertion() -> String {
    let asserter = Asserter::from_pkcs8(&known_key(9)).expect("it is a key");
    asserter.assert(&claims()).trim_start_matches("Assertion ").to_owned()
}

fn ssh_key(text: &str) -> Verdict {
    match text.parse::<SshKey>() {
        Ok(key) if SshKey::decode(key.encoded()).as_ref() == Ok(&key) => Verdict::Read,
        Ok(_) => Verdict::Broken("its encoding is not read again".to_owned()),
        Err(error) => Verdict::Refused(error.to_string()),
    }
}

/// A signature is written as it was read, and holds for nothing but what was signed.
fn ssh_signature(input: &[u8]) -> Verdict {
    let read = match SshSignature::decode(input) {
        Ok(read) => read,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    if read.encode() != input {
        return Verdict::Broken("it is written otherwise than it was read".to_owned());
    }
    match read.key() == &ada().1 && read.verify("file", b"another text").is_ok() {
        true => Verdict::Broken("it holds for a text that was not signed".to_owned()),
        false => Verdict::Read,
    }
}

fn signed_operation(input: &[u8]) -> Verdict {
    let envelope: Envelope = match serde_json::from_slice(input) {
        Ok(envelope) => envelope,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    match open_operation(&envelope) {
        Ok(opened) if opened.keys.contains(&ada().1) && opened.message != STATEMENT => {
            Verdict::Broken(format!("she never signed {}", String::from_utf8_lossy(&opened.message)))
        }
        Ok(_) => Verdict::Read,
        Err(distrust) => Verdict::Refused(distrust.to_string()),
    }
}

/// A site does what she has signed for it, with that payload, and nothing else.
fn statement(input: &[u8]) -> Verdict {
    let envelope: Envelope = match serde_json::from_slice(input) {
        Ok(envelope) => envelope,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let operators = OperatorChain { links: vec![operators().links[0].clone()] };
    let id = |n| uuid::Uuid::from_u128(n);
    let site = Judged {
        task: Id::from_uuid(id(1)),
        type_name: "host.reboot",
        node: Id::from_uuid(id(2)),
        key: "aa",
        operators: &operators,
        now: Millis(2000),
    };
    match site.operation(&envelope) {
        Ok(params) if params == "{\"delay_s\":5}" => Verdict::Read,
        Ok(params) => Verdict::Broken(format!("she never signed {params}")),
        Err(why) => Verdict::Refused(why),
    }
}

fn operator_sets(input: &[u8]) -> Verdict {
    let chain: OperatorChain = match serde_json::from_slice(input) {
        Ok(chain) => chain,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let first = operators().links[0].clone();
    let believed = Operators::of(&chain);
    let begins_as_hers = chain.links.first().is_some_and(|link| link.payload == first.payload);
    match believed {
        // Whoever holds her first set follows to her second one, and to nothing that she has not signed.
        Ok(operators) if begins_as_hers && !matches!(operators.set().version, 1 | 2) => {
            Verdict::Broken(format!("version {} is believed", operators.set().version))
        }
        Ok(_) => Verdict::Read,
        Err(error) => Verdict::Refused(error.to_string()),
    }
}

fn key_sets(input: &[u8]) -> Verdict {
    let chain: KeyChain = match serde_json::from_slice(input) {
        Ok(chain) => chain,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let (first, _, second) = keys();
    let followed = follow(first, &chain);
    if &followed.set != first && &followed.set != second {
        return Verdict::Broken(format!("a key set that nobody signed is believed: {:?}", followed.set));
    }
    followed.refusal.map_or(Verdict::Read, |refusal| Verdict::Refused(refusal.to_string()))
}

fn asserted(text: &str) -> Verdict {
    match sortie_hub::doors::assertion(text) {
        Ok(read) if read == claims() => Verdict::Read,
        // Anybody may assert anything with a key of their own; that key is no node's.
        Ok(_) if !text.contains(&key_of_ada()) => Verdict::Read,
        Ok(read) => Verdict::Broken(format!("the node never claimed {read:?}")),
        Err(why) => Verdict::Refused(why),
    }
}

/// The header that names her key, as each of her assertions begins.
fn key_of_ada() -> String {
    assertion().split('.').next().unwrap_or_default().to_owned()
}
