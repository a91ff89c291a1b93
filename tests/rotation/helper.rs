//! The helper of root's follows the hub's keys by itself, and only where they lead.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sortie_wire::envelope::KEYS;
use sortie_wire::hub_keys::Rotatable;
use sortie_wire::keys::{KeyChain, KeySet};
use stories::{Process, Program, RunningHub, Scene, Site, on_sqlite, until};

use crate::steps::{believed, finish, nobody_lags, rotate_at_once};

on_sqlite!(a_helper_follows_the_keys_and_only_where_they_lead);

const TYPE: &str = "open.count";

async fn open_hub(scene: &Scene) -> RunningHub<'_> {
    let plan = scene.hub();
    let folder = plan.data().join("packs/open");
    Program::Sortie.run(["pack".as_ref(), "new".as_ref(), "open".as_ref(), folder.as_os_str()]).well();
    for schema in ["payload", "result"] {
        std::fs::write(folder.join(format!("schemas/count.{schema}.json")), "{}").expect("the pack can be written");
    }
    plan.start().await
}

/// A helper for this site, in a folder of its own whose policy runs a script as whoever tells this story.
fn helper(scene: &Scene, site: &Site<'_>, root: &Path) -> Process {
    let _gone = std::fs::remove_file(root.join("data/helper.sock"));
    let mut command = Program::Sortie.command();
    command.args(["agent", "helper", "--data"]).arg(root.join("data"));
    command.arg("--agent-data").arg(site.data()).arg("--policy").arg(root.join("policy.toml"));
    Process::start(command, &scene.log("helper"))
}

fn say(root: &Path, line: &str) -> String {
    let script = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.settimeout(20)\ns.connect(sys.argv[1])\n\
                  s.sendall(sys.argv[2].encode() + b'\\n')\nprint(s.recv(4096).decode())";
    let mut command = Command::new("/usr/bin/python3");
    let said = command.args(["-c", script]).arg(root.join("data/helper.sock")).arg(line).output();
    String::from_utf8_lossy(&said.expect("Python can be run").stdout).trim().to_owned()
}

async fn a_helper_follows_the_keys_and_only_where_they_lead(scene: Scene) {
    let hub = open_hub(&scene).await;
    let folder = tempfile::Builder::new().prefix("sortie-helper-").tempdir().expect("a folder");
    let root = folder.path();
    std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let user = Command::new("/usr/bin/id").arg("-un").output().expect("id can be run");
    let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
    let program = root.join("handler");
    std::fs::write(&program, "#!/bin/sh\nprintf '{}'\n").expect("it can be written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let policy = format!("[handlers.\"{TYPE}\"]\nkind = \"command\"\nprogram = {program:?}\nuser = \"{user}\"\n");
    std::fs::write(root.join("policy.toml"), policy).expect("it can be written");
    let site = hub.site("north").await;
    let site = site.setting("helper", root.join("data/helper.sock").display());
    let site = site.setting("policy_file", root.join("policy.toml").display());
    let running = helper(&scene, &site, root);
    until("the helper listens", async || root.join("data/helper.sock").exists().then_some(())).await;
    let _agent = site.start();
    let done = async || {
        let id = hub.submit("north", TYPE, json!({})).await;
        let task = hub.ended(id).await.summary;
        assert_eq!(task.status.as_str(), "completed", "{task:?}");
    };
    done().await;
    let pinned = || -> KeySet {
        let text = std::fs::read(root.join("data/identity/node.json")).expect("it took a copy");
        let record: Value = serde_json::from_slice(&text).expect("it is whole");
        serde_json::from_value(record["keys"].clone()).expect("a key set")
    };
    rotate_at_once(&hub, Rotatable::Delivery).await;
    nobody_lags(&hub).await;
    finish(&hub, false).await;
    until("the helper has followed", async || (pinned().version == 3).then_some(())).await;
    done().await;

    // It is away for a rotation, and finds its way after it.
    running.kill().await;
    rotate_at_once(&hub, Rotatable::Delivery).await;
    nobody_lags(&hub).await;
    finish(&hub, false).await;
    let _running = helper(&scene, &site, root);
    until("it listens again", async || root.join("data/helper.sock").exists().then_some(())).await;
    done().await;
    assert_eq!(pinned(), believed(&site));

    // A hostile agent has keys of its own.
    let thief = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key").serialize_der();
    let thief = sortie_wire::envelope::Signer::from_pkcs8(&thief).expect("a key");
    let before = pinned();
    let forged = KeySet { version: before.version + 1, keys: vec![thief.public_key()], ..before.clone() };
    let link = thief.sign(KEYS, &serde_json::to_vec(&forged).expect("JSON"));
    let chain = KeyChain { links: vec![link], newest: forged.version };
    let told = say(root, &json!({ "follow": chain }).to_string());
    assert!(told.contains("keys_unsigned"), "{told}");
    assert_eq!(pinned(), before);
}
