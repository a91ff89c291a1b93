//! The example of the Rust library, as a process: an agent with a handler of its own.

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Process, Program, Scene, on_sqlite, until};

use crate::help::{TYPE, open_hub};

on_sqlite!(a_handler_in_rust_does_the_work_and_the_policy_has_the_last_word);

async fn a_handler_in_rust_does_the_work_and_the_policy_has_the_last_word(scene: Scene) {
    let hub = open_hub(&scene).await;
    let pack = hub.data().join("packs/open/pack.toml");
    let text = std::fs::read_to_string(&pack).expect("the pack is there");
    std::fs::write(&pack, text.replace(TYPE, "words.count")).expect("the pack can be written");
    let hub = hub.stop().await.0.start().await;
    let site = hub.site("north").await;
    site.set_policy("allow = [\"words.count\"]\n");
    let mut command = Program::OwnHandlers.command();
    command.arg(site.data()).env("NO_PROXY", "*");
    let _agent = Process::start(command, &scene.log("own_handlers"));
    let id = hub.submit("north", "words.count", json!({ "text": "one two three" })).await;
    let task = hub.ended(id).await;
    assert_eq!((task.summary.status, task.result), (Status::Completed, Some(json!({ "words": 3 }))));
    let log = hub.sortie(&["task", "log", &id.to_string(), "--follow"]).well().stdout;
    assert_eq!(log, "one\ntwo\nthree\n");
    let wrong = hub.submit("north", "words.count", json!({ "text": 7 })).await;
    assert_eq!(hub.ended(wrong).await.summary.code.map(|code| code.0).as_deref(), Some("bad_payload"));
    site.set_policy("allow = []\n");
    until("the policy counts", async || {
        let id = hub.submit("north", "words.count", json!({ "text": "x" })).await;
        (hub.ended(id).await.summary.status == Status::Rejected).then_some(())
    })
    .await;
}
