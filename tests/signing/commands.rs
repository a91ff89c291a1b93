//! Operators at the command line: keys, sets, and what is told before anything is signed.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use sortie_wire::operators::open_operation;
use stories::{Ended, HandNode, Home, Scene, on_sqlite};

use crate::help::{PASSPHRASE, Person, propose, typed};

on_sqlite!(
    an_operator_makes_a_key_and_signs_what_waits,
    a_passphrase_is_asked_for_after_what_is_signed_was_told_and_once,
    what_was_signed_before_is_read_and_not_made_anew,
    a_set_is_drawn_up_by_one_and_signed_by_another,
    a_key_that_others_can_read_is_told_of,
    operations_are_listed_by_status_node_and_type,
    slips_at_the_command_line_are_told_with_what_to_do,
);

async fn an_operator_makes_a_key_and_signs_what_waits(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let ada = Person::new(&scene, "ada");
    let key = std::fs::read_to_string(ada.home.file("operator.key")).unwrap();
    assert!(!key.contains(PASSPHRASE) && key.contains("sealed"), "nothing of it lies open");
    let (wanted, unwanted) = (propose(&hub, "box", 1).await, propose(&hub, "box", 1).await);
    let signed = ada.answers(&hub, &["sign", "--pending"], &format!("y\n{PASSPHRASE}\nn\n")).well();
    assert_eq!(signed.stdout.trim(), wanted.id.to_string());
    for word in ["sleep at `box`", "a new kernel", "for the first time", "Nothing of this type", "Not signed."] {
        assert!(signed.stderr.contains(word), "{word}: {signed:?}");
    }
    let handed = node.take_one().await;
    assert_eq!(handed.id, wanted.id);
    assert_eq!(open_operation(handed.operation.as_deref().unwrap()).unwrap().keys.len(), 1);
    node.report(&HandNode::completed(&handed, json!({ "slept_ms": 1 }))).await.unwrap();
    let again = ada.answers(&hub, &["sign", &unwanted.id.to_string()], &format!("y\n{PASSPHRASE}\n")).well();
    assert!(again.stderr.contains("The same as the last") && !again.stderr.contains("first time"), "{again:?}");
    let none = ada.answers(&hub, &["sign", "--pending"], "").well();
    assert!(none.stderr.contains("No operation waits"), "{none:?}");
    let listed = hub.sortie_json(&["op", "list"]);
    assert_eq!(listed["items"][0]["signed_by"].as_array().unwrap().len(), 1);
}

async fn a_passphrase_is_asked_for_after_what_is_signed_was_told_and_once(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("box").await;
    let ada = Person::new(&scene, "ada");
    let (first, second) = (propose(&hub, "box", 1).await.id, propose(&hub, "box", 1).await.id);
    // The first line that is typed answers whether to sign, and not the passphrase.
    let wrong = ada.answers(&hub, &["sign", "--pending"], "y\na cow in the barn\n");
    wrong.failed(2, &["sleep at `box`", "Sign it?", "the passphrase is not the one of this key"]);
    for id in [first, second] {
        assert!(hub.people().operation(id).await.unwrap().signed_by.is_empty());
    }
    ada.answers(&hub, &["sign", "--pending"], "n\nn\n").failed(1, &["Not signed."]);
    let both = ada.answers(&hub, &["sign", "--pending"], &format!("y\n{PASSPHRASE}\ny\n")).well();
    assert_eq!(both.stdout.lines().collect::<Vec<_>>(), [first.to_string(), second.to_string()]);
}

async fn what_was_signed_before_is_read_and_not_made_anew(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("box").await;
    let (ada, bob) = (Person::new(&scene, "ada"), Person::new(&scene, "bob"));
    let operation = propose(&hub, "box", 2).await;
    ada.says(Some(&hub), &["sign", "--pending", "--yes"], "").well();
    let twice = ada.answers(&hub, &["sign", "--pending", "--yes"], "").well();
    assert!(twice.stderr.contains("bears this key's signature already"), "{twice:?}");
    let shown = hub.people().operation(operation.id).await.unwrap();
    let before = shown.envelope.unwrap();
    let signed = bob.answers(&hub, &["sign", &operation.id.to_string()], &format!("y\n{PASSPHRASE}\n")).well();
    assert!(signed.stderr.contains("on its way to `box`"), "{signed:?}");
    let after = node.take_one().await.operation.unwrap();
    assert_eq!((after.payload, after.signatures.len()), (before.payload, 2));
}

async fn a_set_is_drawn_up_by_one_and_signed_by_another(scene: Scene) {
    let hub = scene.hub().start().await;
    let (ada, bob) = (Person::new(&scene, "ada"), Person::new(&scene, "bob"));
    let file = scene.folder().join("operators.json").display().to_string();
    let members = [ada.public("ada"), format!("robert={}", bob.public("bob"))];
    let words = ["operators", "new", &file, "--member", &members[0], "--member", &members[1], "--needed", "2"];
    let drawn = ada.says(None, &words, "").well();
    assert!(drawn.stdout.is_empty() && drawn.stderr.contains("1 of 2 are there"), "{drawn:?}");
    hub.sortie(&["operators", "publish", &file])
        .failed(2, &["nothing was published", "has 1 of 2 signatures", "operators sign"]);
    assert!(hub.people().operators().await.unwrap().items.is_empty());
    let signed = bob.says(None, &["operators", "sign", &file, "--yes"], "").well();
    let fingerprint = signed.stdout.trim().to_owned();
    assert_eq!(fingerprint.len(), 64, "{signed:?}");
    hub.sortie(&["operators", "publish", &file]).well();
    let change = ada.says(None, &["operators", "change", &file, "--remove", "robert", "--needed", "1"], "").well();
    assert!(change.stderr.contains("- robert") && change.stderr.contains("1 of 2 are there"), "{change:?}");
    bob.says(None, &["operators", "sign", &file, "--yes"], "").well();
    hub.sortie(&["operators", "publish", &file]).well();
    let listed = hub.sortie_json(&["operators", "show"]);
    assert_eq!(
        (&listed["items"][0]["fingerprint"], listed["items"][1]["version"].as_u64()),
        (&json!(fingerprint), Some(2))
    );
    let again = hub.sortie(&["operators", "publish", &file]).well();
    assert!(again.stderr.contains("has it already"), "{again:?}");
    let outsider = bob.says(None, &["operators", "change", &file, "--needed", "1", "--add", &members[1]], "");
    outsider.failed(2, &["not one of those who must sign: ada"]);
}

async fn slips_at_the_command_line_are_told_with_what_to_do(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("box").await;
    let ada = Person::new(&scene, "ada");
    let operation = propose(&hub, "box", 1).await;
    let id = operation.id.to_string();
    let mut wrong = ada.home.command(&["sign", &id, "--yes"]);
    wrong.arg("--data").arg(hub.data());
    typed(wrong, "a cow in the barn\n")
        .failed(2, &["the passphrase is not the one of this key", "operator.key", "keys new"]);
    typed(ada.home.command(&["keys", "new", "--name", "ada"]), &format!("{PASSPHRASE}\n"))
        .failed(2, &["is there already", "--out"]);
    let out = scene.folder().join("second.key").display().to_string();
    typed(ada.home.command(&["keys", "new", "--name", "ada", "--out", &out]), "short\n").failed(2, &["at least 8"]);
    typed(ada.home.command(&["keys", "new", "--name", "Ada L", "--out", &out]), "").failed(2, &["only a-z"]);
    let nobody = Home::named(&scene, "nobody");
    let mut without = nobody.command(&["sign", &id]);
    without.arg("--data").arg(hub.data());
    Ended::of(&mut without).failed(2, &["cannot be read", "sortie keys new"]);
    let mut agentless = nobody.command(&["sign", &id, "--ssh-agent"]);
    agentless.env_remove("SSH_AUTH_SOCK").arg("--data").arg(hub.data());
    Ended::of(&mut agentless).failed(2, &["SSH_AUTH_SOCK", "ssh-agent"]);
    hub.sortie(&["sign"]).failed(2, &["--pending"]);
    hub.sortie(&["op", "show", "01980c5e-7d1a-7c3e-9b7e-0123456789ab"]).failed(3, &["sortie op list"]);
    let shown = hub.sortie(&["op", "show", &id]).well();
    assert!(shown.stderr.contains(&format!("sign {id}")), "{shown:?}");
    assert!(hub.people().operation(operation.id).await.unwrap().signed_by.is_empty());
}

async fn operations_are_listed_by_status_node_and_type(scene: Scene) {
    let hub = scene.hub().start().await;
    let _nodes = (hub.hand_node("box").await, hub.hand_node("other").await);
    let (first, second) =
        (propose(&hub, "box", 1).await.id.to_string(), propose(&hub, "other", 1).await.id.to_string());
    let third = hub.sortie(&["op", "propose", "host.reboot", "--node", "box"]).well();
    assert!(third.stderr.contains("--signatures"), "one signature is what is asked for by default: {third:?}");
    let third = third.stdout.trim().to_owned();
    let said = hub.sortie(&["op", "propose", "sleep", "--node", "box", "--payload", "{\"ms\":1}", "--signatures", "2"]);
    assert!(!said.well().stderr.contains("--signatures"), "who has chosen is not told");
    hub.sortie(&["op", "reject", &second]).well();
    let listed = |words: &[&str]| {
        let json = hub.sortie_json(&[&["op", "list"], words].concat());
        let ids =
            json["items"].as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id").to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(listed(&["--node", "other"]), std::slice::from_ref(&second));
    assert_eq!(listed(&["--type", "host.reboot"]), std::slice::from_ref(&third));
    assert_eq!(listed(&["--status", "rejected"]), std::slice::from_ref(&second));
    assert_eq!(listed(&["--status", "rejected,failed", "--node", "box"]), Vec::<String>::new());
    let waiting = listed(&["--status", "awaiting_signature", "--type", "sleep"]);
    assert!(waiting.len() == 2 && waiting.contains(&first), "{waiting:?}");
    assert_eq!(listed(&["--pending", "--type", "host.reboot"]), [third]);
    hub.sortie(&["op", "list", "--status", "signed"]).failed(2, &["no operation is `signed`", "awaiting_signature"]);
    hub.sortie(&["op", "list", "--node", "nowhere"]).failed(3, &["nowhere"]);
    for words in [["op", "show", "nope"], ["op", "reject", "nope"], ["sign", "nope", "--yes"]] {
        hub.sortie(&words).failed(2, &["`nope` is not an operation's id"]);
    }
    let query = "/api/v1/operations?status=signed";
    let refused = hub.request(http::Method::GET, query).send().await;
    refused.is_problem(sortie_wire::problem::ProblemCode::MalformedParameter, None);
}

async fn a_key_that_others_can_read_is_told_of(scene: Scene) {
    let hub = scene.hub().start().await;
    let _node = hub.hand_node("box").await;
    let ada = Person::new(&scene, "ada");
    let passphrase = scene.folder().join("passphrase");
    std::fs::write(&passphrase, PASSPHRASE).unwrap();
    let allow = |mode| {
        for file in [&passphrase, &ada.home.file("operator.key")] {
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let sign = async || {
        let id = propose(&hub, "box", 1).await.id.to_string();
        let mut command = ada.home.command(&["sign", &id, "--yes", "--passphrase-file"]);
        Ended::of(command.arg(&passphrase).arg("--data").arg(hub.data())).well().stderr
    };
    allow(0o644);
    let told = sign().await;
    assert_eq!(told.matches("others on this machine can read").count(), 2, "{told}");
    allow(0o600);
    assert!(!sign().await.contains("others on this machine"));
}
