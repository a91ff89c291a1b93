//! Programs as handlers: what they get, what they give, and what they cannot reach.

use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use stories::{Scene, on_sqlite, until};

use crate::help::{TYPE, set_script, stage};

on_sqlite!(
    the_payload_goes_in_and_the_result_comes_out,
    a_program_knows_its_task_and_little_else,
    each_run_has_an_empty_folder_that_goes_with_it,
    an_exit_code_may_ask_for_another_try,
    a_cancelled_program_is_asked_and_then_ended_with_all_that_it_began,
    an_agent_that_is_killed_takes_its_program_along,
    a_changed_policy_holds_for_the_next_task,
    the_slim_agent_runs_programs_too,
);

async fn the_payload_goes_in_and_the_result_comes_out(scene: Scene) {
    let stage = stage(&scene, "#!/bin/sh\ncat\n", "").await;
    for payload in [json!({ "a": "größer\n\u{1}" }), json!([1, 2.5, null]), json!("x".repeat(900_000))] {
        let task = stage.done(payload.clone()).await;
        assert_eq!((task.summary.status, task.result), (Status::Completed, Some(payload)));
    }
}

async fn a_program_knows_its_task_and_little_else(scene: Scene) {
    let script = "#!/bin/sh\nenv | sort >&2\n\
                  printf '{\"args\": \"%s\", \"run\": %s, \"id\": \"%s\"}' \"$*\" $SORTIE_RUN $SORTIE_TASK_ID\n";
    let limits = "args = [\"one\", \"$HOME; exit 9\"]\nenvironment = { COLOR = \"green\" }";
    let stage = stage(&scene, script, limits).await;
    let task = stage.done(json!({})).await;
    let result = task.result.expect("it completed");
    assert_eq!(result, json!({ "args": "one $HOME; exit 9", "run": 1, "id": task.summary.id }));
    let log = stage.hub.sortie(&["task", "log", &task.summary.id.to_string(), "--follow"]).well().stdout;
    let names: Vec<&str> = log.lines().filter_map(|line| line.split('=').next()).collect();
    let known = [
        "COLOR",
        "HOME",
        "LANG",
        "PATH",
        "PWD",
        "SORTIE_ATTEMPT",
        "SORTIE_RUN",
        "SORTIE_TASK_ID",
        "SORTIE_TASK_TYPE",
        "TMPDIR",
    ];
    assert_eq!(names, known, "{log}");
}

async fn each_run_has_an_empty_folder_that_goes_with_it(scene: Scene) {
    let script = "#!/bin/sh\nls -A | wc -l >&2\ntouch left\nprintf '\"%s\"' \"$PWD\"\n";
    let stage = stage(&scene, script, "").await;
    for _ in 0..2 {
        let task = stage.done(json!({})).await;
        let folder = task.result.expect("it completed");
        assert!(!std::path::Path::new(folder.as_str().expect("a path")).exists(), "{folder} is still there");
        let log = stage.hub.sortie(&["task", "log", &task.summary.id.to_string(), "--follow"]).well().stdout;
        assert_eq!(log.trim(), "0");
    }
}

async fn an_exit_code_may_ask_for_another_try(scene: Scene) {
    let script = "#!/bin/sh\nif [ $SORTIE_RUN = 1 ]; then echo not yet >&2; exit 75; fi\necho $SORTIE_RUN\n";
    let stage = stage(&scene, script, "").await;
    let task = stage.done(json!({})).await;
    assert_eq!((task.summary.retries, task.result), (1, Some(json!(2))));
    set_script(&stage.site, "#!/bin/sh\necho broken >&2\nexit 3\n", "");
    until("the policy is read again", async || {
        let task = stage.done(json!({})).await;
        (task.summary.status == Status::Failed).then_some(task)
    })
    .await;
    let task = stage.fails(json!({}), "exit_code", "exit code 3; its last words: broken").await;
    assert_eq!(task.summary.retries, 0);
}

async fn a_cancelled_program_is_asked_and_then_ended_with_all_that_it_began(scene: Scene) {
    let marker = format!("sortie-marker-{}", std::process::id());
    let script = format!(
        "#!/bin/sh\ntrap 'echo asked >&2' TERM\n(exec -a {marker} sleep 1000) &\necho begun >&2\n\
         while true; do sleep 1000 & wait; done\n"
    );
    let script = script.replace("#!/bin/sh", "#!/bin/bash");
    let stage = stage(&scene, &script, "stop_grace_s = 1").await;
    let id = stage.hub.submit("north", TYPE, json!({})).await;
    until("it has begun", async || processes(&marker).first().copied()).await;
    stage.hub.people().cancel_task(id).await.expect("it may be cancelled");
    assert_eq!(stage.hub.ended(id).await.summary.status, Status::Cancelled);
    let log = stage.hub.sortie(&["task", "log", &id.to_string(), "--follow"]).well().stdout;
    assert!(log.contains("begun") && log.contains("asked"), "{log}");
    until("nothing of it is left", async || processes(&marker).is_empty().then_some(())).await;
}

async fn an_agent_that_is_killed_takes_its_program_along(scene: Scene) {
    let marker = format!("sortie-marker-{}", std::process::id());
    let script = format!("#!/bin/bash\nexec -a {marker} sleep 1000\n");
    let stage = stage(&scene, &script, "").await;
    stage.hub.submit("north", TYPE, json!({})).await;
    until("it has begun", async || processes(&marker).first().copied()).await;
    stage.agent.process.kill().await;
    until("it is gone with its agent", async || processes(&marker).is_empty().then_some(())).await;
}

async fn a_changed_policy_holds_for_the_next_task(scene: Scene) {
    let stage = stage(&scene, "#!/bin/sh\necho 1\n", "").await;
    assert_eq!(stage.done(json!({})).await.result, Some(json!(1)));
    stage.site.set_policy("default = \"refuse\"\n");
    until("the policy is read again", async || {
        let task = stage.done(json!({})).await;
        (task.summary.status == Status::Rejected).then_some(task.summary.code)
    })
    .await;
}

async fn the_slim_agent_runs_programs_too(scene: Scene) {
    let hub = crate::help::open_hub(&scene).await;
    let site = hub.site("north").await.slim();
    set_script(&site, "#!/bin/sh\ncat\n", "");
    let _agent = site.start();
    let id = hub.submit("north", TYPE, json!("slim")).await;
    assert_eq!(hub.ended(id).await.result, Some(Value::from("slim")));
}

/// The processes whose name on the command line is this.
fn processes(name: &str) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").expect("there is a list of processes").flatten();
    let is_it = |path: &std::path::Path| {
        std::fs::read(path.join("cmdline")).is_ok_and(|line| line.split(|b| *b == 0).next() == Some(name.as_bytes()))
    };
    all.filter(|entry| is_it(&entry.path())).filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
