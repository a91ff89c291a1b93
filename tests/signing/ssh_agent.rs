//! Keys of OpenSSH: made by `ssh-keygen`, held by `ssh-agent`, and what is signed with them.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sortie_wire::operators::open_operation;
use stories::{Ended, Home, Scene, on_sqlite, until};

use crate::help::propose;

on_sqlite!(a_key_of_an_ssh_agent_signs, of_several_keys_the_one_that_is_named_signs);

/// An SSH agent of the story's own; it ends with it.
struct SshAgent(Child);

impl SshAgent {
    async fn start(socket: &Path) -> SshAgent {
        let mut agent = Command::new("ssh-agent");
        agent.args(["-D", "-a"]).arg(socket).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = agent.spawn().expect("OpenSSH is installed");
        // It says where it listens when it does.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        until("it listens", async || socket.exists().then_some(())).await;
        SshAgent(child)
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Makes a key, gives it to the agent, and says its fingerprint.
fn add(folder: &Path, socket: &Path, kind: &str) -> String {
    let file = folder.join(kind);
    let make = Ended::of(Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", "", "-f"]).arg(&file));
    make.well();
    Ended::of(Command::new("ssh-add").env("SSH_AUTH_SOCK", socket).arg(&file).stdin(Stdio::null())).well();
    let told = Ended::of(Command::new("ssh-keygen").arg("-lf").arg(file.with_extension("pub"))).well().stdout;
    told.split_whitespace().nth(1).unwrap().to_owned()
}

async fn a_key_of_an_ssh_agent_signs(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let socket = scene.folder().join("agent.sock");
    let _agent = SshAgent::start(&socket).await;
    for kind in ["ed25519", "ecdsa"] {
        let fingerprint = add(scene.folder(), &socket, kind);
        let operation = propose(&hub, "box", 1).await;
        let home = Home::named(&scene, &format!("home-{kind}"));
        let mut sign = home.command(&["sign", "--pending", "--yes", "--ssh-agent", &fingerprint]);
        sign.env("SSH_AUTH_SOCK", &socket).arg("--data").arg(hub.data());
        Ended::of(&mut sign).well();
        let handed = node.take_one().await;
        assert_eq!(handed.id, operation.id);
        let open = open_operation(&handed.operation.unwrap()).unwrap();
        assert_eq!(open.keys[0].fingerprint(), fingerprint, "the fingerprint is the one that ssh-keygen shows");
    }
}

async fn of_several_keys_the_one_that_is_named_signs(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("box").await;
    let socket = scene.folder().join("agent.sock");
    let _agent = SshAgent::start(&socket).await;
    let operation = propose(&hub, "box", 1).await;
    let home = Home::new(&scene);
    let id = operation.id.to_string();
    let sign = |which: &[&str]| {
        let words: Vec<&str> = ["sign", &id, "--yes", "--ssh-agent"].iter().chain(which).copied().collect();
        let mut command = home.command(&words);
        command.env("SSH_AUTH_SOCK", &socket).arg("--data").arg(hub.data());
        Ended::of(&mut command)
    };
    sign(&[]).failed(2, &["holds no key", "ssh-add"]);
    let (first, second) = (add(scene.folder(), &socket, "ed25519"), add(scene.folder(), &socket, "ecdsa"));
    sign(&[]).failed(2, &["several keys", &first, &second]);
    sign(&["SHA256:none"]).failed(2, &["holds no key SHA256:none", &first]);
    sign(&[&second]).well();
    assert_eq!(hub.people().operation(operation.id).await.unwrap().signed_by[0].key_id, second);
}
