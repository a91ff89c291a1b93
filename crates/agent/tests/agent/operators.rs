//! Operators with keys that `ssh-keygen` has made, and what they sign with it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sortie_wire::envelope::{Envelope, Signature};
use sortie_wire::operators::{OPERATORS, Operator, OperatorChain, OperatorSet, unsigned};
use sortie_wire::ssh::SshKey;

/// An operator, with a key in a folder of the operator's own.
pub(crate) struct Person {
    name: String,
    folder: tempfile::TempDir,
    pub(crate) key: SshKey,
}

impl Person {
    pub(crate) fn new(name: &str) -> Person {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&file).status();
        assert!(made.expect("ssh-keygen is installed").success());
        let key = std::fs::read_to_string(file.with_extension("pub")).unwrap().parse().unwrap();
        Person { name: name.to_owned(), folder, key }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    /// Adds this person's signature for a purpose.
    fn sign(&self, namespace: &str, envelope: &mut Envelope) {
        let message = BASE64.decode(&envelope.payload).unwrap();
        let text = self.folder.path().join("text");
        let kind = &envelope.payload_type;
        let mut encoded = format!("DSSEv1 {} {kind} {} ", kind.len(), message.len()).into_bytes();
        encoded.extend_from_slice(&message);
        std::fs::write(&text, encoded).unwrap();
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(self.file()).arg(&text);
        assert!(command.stderr(Stdio::null()).status().unwrap().success());
        let signed = std::fs::read_to_string(text.with_extension("sig")).unwrap();
        std::fs::remove_file(text.with_extension("sig")).unwrap();
        let sig = signed.lines().filter(|line| !line.starts_with("-----")).collect();
        envelope.signatures.push(Signature { keyid: self.key.fingerprint(), sig });
    }

    /// An operation, signed by these.
    pub(crate) fn operation(message: &[u8], by: &[&Person]) -> Envelope {
        let mut envelope = unsigned(sortie_wire::operations::OPERATION, message);
        by.iter().for_each(|person| person.sign("operation@sortie", &mut envelope));
        envelope
    }

    /// What these have signed of a resource.
    pub(crate) fn resource(message: &[u8], by: &[&Person]) -> Envelope {
        let mut envelope = unsigned(sortie_wire::resources::RESOURCE, message);
        by.iter().for_each(|person| person.sign("resource@sortie", &mut envelope));
        envelope
    }

    /// A set of these operators, signed by those.
    pub(crate) fn set(version: u64, needed: u32, members: &[&Person], by: &[&Person]) -> Envelope {
        let member = |person: &&Person| Operator { name: person.name.clone(), key: person.key.clone() };
        let set = OperatorSet { version, needed, members: members.iter().map(member).collect() };
        let mut link = unsigned(OPERATORS, &serde_json::to_vec(&set).unwrap());
        by.iter().for_each(|person| person.sign("operators@sortie", &mut link));
        link
    }
}

pub(crate) fn chain(links: &[&Envelope]) -> OperatorChain {
    OperatorChain { links: links.iter().map(|link| (*link).clone()).collect() }
}
