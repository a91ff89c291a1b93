//! What several of these stories share.

use std::io::Write as _;
use std::process::{Command, Stdio};

use http::Method;
use serde_json::{Value, json};
use sortie_rules::ids::TaskId;
use sortie_wire::envelope::Envelope;
use sortie_wire::operations::{Operation, ProposeOperation};
use stories::{Answer, Ended, Home, Operator, RunningHub, Scene, signed_statement, statement_of};

/// Proposes something that hurts nobody.
pub(crate) async fn propose(hub: &RunningHub<'_>, node: &str, signatures: u32) -> Operation {
    let proposal = ProposeOperation {
        type_name: "sleep".to_owned(),
        node: node.to_owned(),
        payload: Some(serde_json::value::to_raw_value(&json!({ "ms": 1 })).expect("JSON")),
        valid_for: None,
        signatures: Some(signatures),
        reason: Some("a new kernel".to_owned()),
    };
    hub.people().propose_operation(&proposal, None).await.expect("it is proposed")
}

/// What these operators sign of an operation.
pub(crate) fn signed(operation: &Operation, by: &[&Operator]) -> Envelope {
    signed_statement(&statement_of(operation, by[0].key(), operation.proposed_at), by)
}

/// Brings what was signed.
pub(crate) async fn bring(hub: &RunningHub<'_>, id: TaskId, envelope: &Envelope) -> Answer {
    let path = format!("/api/v1/operations/{id}/signatures");
    hub.request(Method::POST, &path).json(&json!(envelope)).send().await
}

/// Brings what was signed; it is taken.
pub(crate) async fn brought(hub: &RunningHub<'_>, id: TaskId, envelope: &Envelope) -> Value {
    let answer = bring(hub, id, envelope).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The passphrase of every key that is made here.
pub(crate) const PASSPHRASE: &str = "a horse in the barn";

/// What comes of a command to which these lines are typed.
pub(crate) fn typed(mut command: Command, lines: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command can be run");
    child.stdin.take().unwrap().write_all(lines.as_bytes()).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    Ended::from(output)
}

/// Somebody with a home and a key in it.
pub(crate) struct Person {
    pub(crate) home: Home,
}

impl Person {
    pub(crate) fn new(scene: &Scene, name: &str) -> Person {
        let home = Home::named(scene, name);
        let made = typed(home.command(&["keys", "new", "--name", name]), &format!("{PASSPHRASE}\n")).well();
        assert!(made.stdout.starts_with("ssh-ed25519 ") && made.stdout.trim_end().ends_with(name), "{made:?}");
        std::fs::write(home.file(&format!("{name}.pub")), made.stdout).unwrap();
        Person { home }
    }

    /// The file of the public key.
    pub(crate) fn public(&self, name: &str) -> String {
        self.home.file(&format!("{name}.pub")).display().to_string()
    }

    /// What comes of a command to which they type these lines and nothing else.
    pub(crate) fn answers(&self, hub: &RunningHub<'_>, words: &[&str], lines: &str) -> Ended {
        let mut command = self.home.command(words);
        command.arg("--data").arg(hub.data());
        typed(command, lines)
    }

    /// What comes of what they type: a command, the passphrase, and these lines.
    pub(crate) fn says(&self, hub: Option<&RunningHub<'_>>, words: &[&str], lines: &str) -> Ended {
        let mut command = self.home.command(words);
        if let Some(hub) = hub {
            command.arg("--data").arg(hub.data());
        }
        typed(command, &format!("{PASSPHRASE}\n{lines}"))
    }
}
