//! Operators, and a site that knows them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::{Value, json};
use sortie_rules::ids::TaskId;
use sortie_wire::envelope::{Envelope, Signature};
use sortie_wire::operations::{OPERATION, Operation};
use sortie_wire::operators::{OPERATORS, Operator, OperatorSet, unsigned};
use sortie_wire::ssh::SshKey;
use sortie_wire::tasks::Task;
use stories::{Ended, RunningHub, Scene, Site};

/// An operator, with a key in a folder of the operator's own.
pub(crate) struct Person {
    name: String,
    folder: PathBuf,
    key: SshKey,
}

impl Person {
    pub(crate) fn new(scene: &Scene, name: &str) -> Person {
        let folder = scene.folder().join(name);
        std::fs::create_dir(&folder).expect("the story's folder can be written");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
            .arg(folder.join("key"))
            .status();
        assert!(made.expect("ssh-keygen is installed").success());
        let key = std::fs::read_to_string(folder.join("key.pub")).expect("it was made").parse().expect("it is a key");
        Person { name: name.to_owned(), folder, key }
    }

    fn sign(&self, purpose: &str, envelope: &mut Envelope) {
        let message = BASE64.decode(&envelope.payload).expect("an envelope holds base64");
        let (text, kind) = (self.folder.join("text"), &envelope.payload_type);
        let mut encoded = format!("DSSEv1 {} {kind} {} ", kind.len(), message.len()).into_bytes();
        encoded.extend_from_slice(&message);
        std::fs::write(&text, encoded).expect("the folder can be written");
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "sign", "-n", purpose, "-f"]).arg(self.folder.join("key")).arg(&text);
        assert!(command.stderr(Stdio::null()).status().expect("it can be run").success());
        let file = text.with_extension("sig");
        let signed = std::fs::read_to_string(&file).expect("it was signed");
        std::fs::remove_file(file).expect("it is ours");
        let sig = signed.lines().filter(|line| !line.starts_with("-----")).collect();
        envelope.signatures.push(Signature { keyid: self.key.fingerprint(), sig });
    }

    /// A set of these operators, signed by those.
    pub(crate) fn set(version: u64, members: &[&Person], by: &[&Person]) -> Envelope {
        let member = |person: &&Person| Operator { name: person.name.clone(), key: person.key.clone() };
        let set = OperatorSet { version, needed: 1, members: members.iter().map(member).collect() };
        let mut link = unsigned(OPERATORS, &serde_json::to_vec(&set).expect("it is JSON"));
        by.iter().for_each(|person| person.sign("operators@sortie", &mut link));
        link
    }
}

/// A file with sets of operators.
pub(crate) fn chain_file(folder: &Path, name: &str, links: &[&Envelope]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, json!({ "links": links }).to_string()).expect("the folder can be written");
    path
}

/// A hub with a site that believes these operators.
pub(crate) async fn site_of<'s>(hub: &RunningHub<'s>, name: &str, operators: &Path) -> Site<'s> {
    let site = Site::new(hub.scene(), name);
    let invite = hub.invite(name).await;
    Ended::of(site.command("enroll").args(["--invite", &invite]).arg("--operators").arg(operators)).well();
    site
}

/// Proposes an operation, and returns it.
pub(crate) async fn propose(hub: &RunningHub<'_>, node: &str, type_name: &str, payload: Value) -> Operation {
    let body = json!({ "type": type_name, "node": node, "payload": payload });
    let answer = hub.request(Method::POST, "/api/v1/operations").json(&body).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
    serde_json::from_value(answer.json()).expect("an operation")
}

/// Has it signed by this operator, and hands it to the hub: it goes to its node.
pub(crate) async fn sign(hub: &RunningHub<'_>, operation: &Operation, by: &Person) {
    let now = operation.proposed_at;
    let statement = json!({
        "op": operation.type_name,
        "operation": operation.id,
        "target": operation.target,
        "params": operation.payload,
        "nonce": uuid::Uuid::new_v4().simple().to_string(),
        "issued_at": now,
        "expires_at": now + operation.valid_for,
        "key_id": by.key.fingerprint(),
    });
    let mut envelope = unsigned(OPERATION, statement.to_string().as_bytes());
    by.sign("operation@sortie", &mut envelope);
    let path = format!("/api/v1/operations/{}/signatures", operation.id);
    let body = serde_json::to_value(&envelope).expect("an envelope is JSON");
    let answer = hub.request(Method::POST, &path).json(&body).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Proposes it and has it signed.
pub(crate) async fn order(hub: &RunningHub<'_>, by: &Person, node: &str, type_name: &str, payload: Value) -> TaskId {
    let operation = propose(hub, node, type_name, payload).await;
    sign(hub, &operation, by).await;
    operation.id
}

/// Publishes a set of operators at the hub.
pub(crate) async fn publish(hub: &RunningHub<'_>, link: &Envelope) {
    let body = serde_json::to_value(link).expect("an envelope is JSON");
    let answer = hub.request(Method::POST, "/api/v1/operators").json(&body).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// Writes a program.
pub(crate) fn program(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("the folder can be written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// The code of a task that did not complete.
pub(crate) fn code(task: &Task) -> &str {
    task.summary.code.as_ref().map_or("", |code| &code.0)
}

/// Who tells the stories, by name.
pub(crate) fn own_name() -> String {
    let id = Command::new("/usr/bin/id").arg("-un").output().expect("id can be run");
    String::from_utf8_lossy(&id.stdout).trim().to_owned()
}
