//! The whole way of privileged work as people go it: keys, a set that is given at the site, a proposal, the signatures
//! of two, and an agent that does it once.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;
use sortie_rules::ids::TaskId;
use sortie_rules::tasks::Status;
use stories::{Ended, Home, RunningHub, Scene, Site, on_both_engines};

use crate::help::code;

on_both_engines!(what_two_operators_have_signed_with_keys_of_their_own_is_done_once);

const PASSPHRASE: &str = "a horse in the barn";

/// What comes of a command of somebody's to which these lines are typed.
fn types(home: &Home, words: &[&str], lines: &str) -> Ended {
    let mut command = home.command(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command can be run");
    child.stdin.take().expect("it is piped").write_all(lines.as_bytes()).expect("it listens");
    Ended::from(child.wait_with_output().expect("it ends"))
}

/// Somebody with a key of their own, and the file of its public half.
fn operator(scene: &Scene, name: &str) -> (Home, String) {
    let home = Home::named(scene, name);
    let made = types(&home, &["keys", "new", "--name", name], &format!("{PASSPHRASE}\n")).well();
    let public = home.file("own.pub");
    std::fs::write(&public, made.stdout).expect("the home can be written");
    (home, public.display().to_string())
}

/// Signs whatever waits, after a look at it.
fn signs(home: &Home, hub: &RunningHub<'_>) -> Ended {
    let data = hub.data().display().to_string();
    types(home, &["sign", "--pending", "--data", &data], &format!("y\n{PASSPHRASE}\n")).well()
}

async fn what_two_operators_have_signed_with_keys_of_their_own_is_done_once(scene: Scene) {
    let hub = scene.hub().start().await;
    let ((ada, ada_s), (bob, bob_s)) = (operator(&scene, "ada"), operator(&scene, "bob"));
    let set = scene.folder().join("operators.json").display().to_string();
    let words = ["operators", "new", &set, "--member", &ada_s, "--member", &bob_s, "--needed", "2"];
    types(&ada, &words, &format!("{PASSPHRASE}\n")).well();
    types(&bob, &["operators", "sign", &set, "--yes"], &format!("{PASSPHRASE}\n")).well();

    // The set goes to the site by hand, and the hub has never seen it.
    let site = Site::new(&scene, "north");
    let invite = hub.invite("north").await;
    Ended::of(site.command("enroll").args(["--invite", &invite, "--operators", &set])).well();
    site.set_policy(&format!(
        "[handlers.\"file.append\"]\nkind = \"builtin\"\nclass = \"privileged\"\nsignatures = 2\n\
         [file_append]\nroots = [{:?}]\n",
        site.files()
    ));
    let agent = site.start();
    let payload = json!({ "path": site.files().join("journal"), "line": "by two" }).to_string();
    let propose = |signatures: &str| -> TaskId {
        let what = ["op", "propose", "file.append", "--node", "north", "--payload", &payload];
        hub.sortie_json(&[&what[..], &["--signatures", signatures]].concat())["id"]
            .as_str()
            .expect("an id")
            .parse()
            .expect("an id")
    };

    // One is too few for the site, whatever the hub was told.
    let too_few = propose("1");
    signs(&ada, &hub);
    let task = hub.ended(too_few).await;
    assert_eq!((task.summary.status, code(&task)), (Status::Rejected, "signatures_too_few"), "{:?}", task.summary);
    assert!(site.lines("journal").is_empty());

    let id = propose("2");
    let first = signs(&ada, &hub);
    assert!(first.stderr.contains("file.append at `north`") && first.stderr.contains("1 of 2 signatures"), "{first:?}");
    let waits = hub.sortie_json(&["op", "show", &id.to_string()]);
    assert_eq!(waits["status"], json!("awaiting_signature"));
    let second = signs(&bob, &hub);
    assert!(second.stderr.contains("it is on its way to `north`"), "{second:?}");
    let task = hub.ended(id).await;
    assert_eq!(task.summary.status, Status::Completed, "{:?}", task.summary);
    assert_eq!(hub.sortie_json(&["op", "show", &id.to_string()])["status"], json!("completed"));

    // The agent is killed and starts again: what was done is done.
    agent.kill().await;
    let _agent = site.start();
    let routine = hub.submit("north", "sys.info", json!({})).await;
    hub.ended(routine).await;
    assert_eq!(site.lines("journal"), ["by two"]);
    for action in ["operation.propose", "operation.sign", "operation.end"] {
        let links = hub.sortie_json(&["audit", "list", "--action", action, "--object", &id.to_string()]);
        assert!(!links["items"].as_array().expect("a page").is_empty(), "{action}: {links}");
    }
}
