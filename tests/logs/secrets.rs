//! What a type declares secret stands in no log, wherever one looks.

use std::path::Path;

use serde_json::json;
use stories::{Scene, on_sqlite};

use crate::help::{TYPE, give_type, set_script, whole};

on_sqlite!(a_declared_secret_is_masked_before_it_is_written_anywhere);

async fn a_declared_secret_is_masked_before_it_is_written_anywhere(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, "[\"/password\", \"/users/*/key\"]");
    let hub = plan.start().await;
    let site = hub.site("north").await;
    // It says its whole payload, a part of it in two writes, and fails with a secret as its last word.
    let script = "#!/bin/sh\npayload=$(cat)\necho \"$payload\" >&2\nprintf 'half hunt' >&2\nsleep 0.1\n\
                  printf 'er22 half\\n' >&2\necho '@progress 10 with key-of-anna' >&2\n\
                  echo 'last: hunter22' >&2\nexit 1\n";
    set_script(&site, script);
    let agent = site.start();
    let payload = json!({ "password": "hunter22", "users": [{ "key": "key-of-anna" }, { "key": "a\"quoted\"key" }] });
    let id = hub.submit("north", TYPE, payload).await;
    let task = hub.ended(id).await;
    let log = String::from_utf8(whole(&hub, id).await).expect("text");
    assert!(log.contains("half [secret] half") && log.contains("\"password\":\"[secret]\""), "{log}");
    assert!(task.summary.message.as_deref().is_some_and(|message| message.contains("last: [secret]")), "{task:?}");
    let told = format!("{log}{}{}{:?}", hub.log(), agent.process.log(), task.progress);
    for secret in ["hunter22", "key-of-anna", "quoted"] {
        assert!(!told.contains(secret), "{secret} is told: {told}");
        assert!(!contains(&site.data().join("logs"), secret.as_bytes()), "{secret} is in the spool");
        let chunks = hub.plan().sql("select hex(bytes) from task_logs").concat();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
        assert!(!chunks.contains(&hex), "{secret} is in the hub's logs");
    }
}

/// Whether any file of a folder holds these bytes.
fn contains(folder: &Path, bytes: &[u8]) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| std::fs::read(entry.path()).ok())
        .any(|text| text.windows(bytes.len()).any(|window| window == bytes))
}
