//! What programs can do wrong. Each has its own code, and the agent's memory stays within its limit.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Scene, on_sqlite, until};

use crate::help::{TYPE, script_of, set_script, stage};

/// Most memory of an agent whose programs misbehave, in KiB. It is the debug build here.
const AGENT_KIB_MAX: u64 = 64 << 10;

on_sqlite!(
    a_program_that_is_missing_or_cannot_be_executed_is_told,
    a_program_that_anybody_may_write_is_not_run,
    a_program_that_a_signal_ends_is_told,
    a_program_over_its_time_is_ended,
    a_program_over_its_processor_time_is_ended,
    a_program_over_its_memory_is_ended,
    a_program_that_multiplies_is_ended,
    a_program_that_writes_garbage_or_nothing_is_told,
    a_program_that_writes_without_end_is_cut,
    a_program_that_fills_the_disk_is_ended,
    a_program_that_does_not_listen_is_no_trouble,
    a_program_that_leaves_others_behind_leaves_none,
    a_broken_policy_runs_nothing_and_says_why,
    a_type_that_an_operator_must_sign_is_refused,
);

async fn a_program_that_is_missing_or_cannot_be_executed_is_told(scene: Scene) {
    let stage = stage(&scene, "#!/nonexistent/interpreter\n", "").await;
    let script = script_of(&stage.site);
    stage.fails(json!({}), "handler_not_executable", "cannot be executed").await;
    std::fs::write(&script, "\u{7f}neither this nor that").expect("it is ours");
    stage.fails(json!({}), "handler_not_executable", "cannot be executed").await;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
    stage.fails(json!({}), "handler_not_executable", "chmod +x").await;
    std::fs::remove_file(&script).expect("it is ours");
    stage.fails(json!({}), "handler_missing", "is not there").await;
    std::fs::create_dir(&script).expect("the folder is ours");
    stage.fails(json!({}), "handler_not_executable", "not an executable file").await;
}

async fn a_program_that_anybody_may_write_is_not_run(scene: Scene) {
    let stage = stage(&scene, "#!/bin/sh\necho 1\n", "").await;
    std::fs::set_permissions(script_of(&stage.site), std::fs::Permissions::from_mode(0o777)).expect("it is ours");
    stage.fails(json!({}), "handler_unsafe", "chmod o-w").await;
}

async fn a_program_that_a_signal_ends_is_told(scene: Scene) {
    let stage = stage(&scene, "#!/bin/sh\nkill -SEGV $$\n", "").await;
    let task = stage.fails(json!({}), "handler_killed", "signal 11").await;
    assert_eq!((task.summary.status, task.summary.retries), (Status::Failed, 0));
}

async fn a_program_over_its_time_is_ended(scene: Scene) {
    let stage = stage(&scene, "#!/bin/sh\nsleep 1000\n", "wall_s = 1").await;
    stage.fails(json!({}), "over_wall_time", "wall_s").await;
}

async fn a_program_over_its_processor_time_is_ended(scene: Scene) {
    let stage = stage(&scene, "#!/bin/sh\nwhile :; do :; done\n", "cpu_s = 1").await;
    stage.fails(json!({}), "over_cpu_time", "cpu_s").await;
}

async fn a_program_over_its_memory_is_ended(scene: Scene) {
    let script = "#!/usr/bin/python3\nimport time\nkept = []\nwhile True:\n    kept.append(b'x' * 1000000)\n    \
                  time.sleep(0.001)\n";
    let stage = stage(&scene, script, "memory_mb = 60").await;
    stage.fails(json!({}), "out_of_memory", "memory_mb").await;
}

async fn a_program_that_multiplies_is_ended(scene: Scene) {
    let script = "#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9; do sleep 1000 & done\nwait\n";
    let stage = stage(&scene, script, "processes = 5").await;
    stage.fails(json!({}), "too_many_processes", "processes").await;
}

async fn a_program_that_writes_garbage_or_nothing_is_told(scene: Scene) {
    let script = "#!/bin/sh\nread what\ncase $what in\n'\"json\"') echo '{\"password\": hunter2';;\n\
                  '\"bytes\"') printf '\\377\\376';;\n'\"two\"') echo 1 2;;\n\
                  '\"deep\"') head -c 5000 /dev/zero | tr '\\0' '[';;\n*) exit 0;;\nesac\n";
    let stage = stage(&scene, script, "").await;
    for payload in ["json", "bytes", "two", "deep"] {
        let task = stage.fails(json!(payload), "output_invalid", "no result").await;
        assert!(!task.summary.message.expect("a message").contains("hunter2"));
    }
    stage.fails(json!("nothing"), "no_result", "wrote no result").await;
}

async fn a_program_that_writes_without_end_is_cut(scene: Scene) {
    let script = "#!/bin/sh\nread where\nif [ \"$where\" = '\"log\"' ]; then head -c 200000000 /dev/zero >&2; echo 1; \
                  else cat /dev/zero; fi\n";
    let stage = stage(&scene, script, "output_mb = 20").await;
    stage.fails(json!("out"), "output_too_large", "output_mb").await;
    // A log without end is cut, and the task completes all the same.
    let task = stage.done(json!("log")).await;
    assert_eq!(task.result, Some(json!(1)));
    assert!(stage.agent_kib() < AGENT_KIB_MAX, "{} KiB", stage.agent_kib());
}

async fn a_program_that_fills_the_disk_is_ended(scene: Scene) {
    let script = "#!/bin/bash\nexec dd if=/dev/zero of=large bs=1M count=100 2>/dev/null\n";
    let stage = stage(&scene, script, "file_mb = 5").await;
    stage.fails(json!({}), "over_file_size", "file_mb").await;
}

async fn a_program_that_does_not_listen_is_no_trouble(scene: Scene) {
    let stage = stage(&scene, "#!/bin/sh\nexec <&-\necho 1\n", "").await;
    let task = stage.done(json!("x".repeat(900_000))).await;
    assert_eq!(task.result, Some(json!(1)));
}

async fn a_program_that_leaves_others_behind_leaves_none(scene: Scene) {
    // One stays in the group, the other leaves it and holds the pipes open.
    let stage = stage(&scene, "#!/bin/sh\nsleep 1000 &\nsetsid sleep 3 &\necho 1\n", "").await;
    let task = stage.done(json!({})).await;
    assert_eq!(task.result, Some(json!(1)));
    // The next task is not kept waiting.
    assert_eq!(stage.done(json!({})).await.result, Some(json!(1)));
}

async fn a_broken_policy_runs_nothing_and_says_why(scene: Scene) {
    let stage = stage(&scene, "#!/bin/sh\necho 1\n", "").await;
    set_script(&stage.site, "#!/bin/sh\necho 1\n", "wal_s = 1");
    // Nobody submits anything yet: the agent sees it by itself.
    until("the mistake is told", async || {
        let log = stage.agent.process.log();
        (log.contains("wal_s") && log.contains("did you mean")).then_some(())
    })
    .await;
    let id = stage.hub.submit("north", TYPE, json!({})).await;
    until("the task waits for another try", async || {
        let task = stage.hub.task(id).await.summary;
        (task.retries > 0 && task.message.is_some_and(|why| why.contains("the policy file"))).then_some(())
    })
    .await;
    set_script(&stage.site, "#!/bin/sh\necho 1\n", "wall_s = 1");
    assert_eq!(stage.hub.ended(id).await.summary.status, Status::Completed, "nothing was lost by the mistake");
}

async fn a_type_that_an_operator_must_sign_is_refused(scene: Scene) {
    let stage = stage(&scene, "#!/bin/sh\necho 1\n", "class = \"privileged\"").await;
    let id = stage.hub.submit("north", TYPE, json!({})).await;
    let task = stage.hub.ended(id).await;
    assert_eq!(
        (task.summary.status, task.summary.code.expect("a code").0.as_str()),
        (Status::Rejected, "signature_missing")
    );
}
