//! Lines arrive while the task runs, and over breaks and restarts none is lost or doubled.

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Net, Scene, on_both_engines, on_sqlite, until};

use crate::help::{TYPE, give_type, part, set_script, whole};

on_both_engines!(a_line_arrives_while_the_task_runs, a_hub_that_was_killed_gets_the_rest_of_a_log,);
on_sqlite!(
    progress_is_shown_and_does_not_stand_in_the_log,
    a_cut_line_costs_a_log_nothing,
    an_agent_that_was_killed_sends_what_it_has,
    each_run_has_a_log_of_its_own,
    the_command_follows_a_log_to_its_end,
    only_the_task_s_node_writes_its_log_and_only_those_who_may_read_it,
);

/// Says a line, waits for a file, says another.
const TWO_LINES: &str = "#!/bin/sh\nread go\necho one >&2\nwhile [ ! -e \"$(echo $go | tr -d '\"')\" ]; do sleep 0.02; \
                         done\necho two >&2\necho 1\n";

async fn a_line_arrives_while_the_task_runs(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, "[]");
    let hub = plan.start().await;
    let site = hub.site("north").await;
    set_script(&site, TWO_LINES);
    let _agent = site.start();
    let go = site.files().join("go");
    let id = hub.submit("north", TYPE, json!(go)).await;
    let (first, bytes) = until("the first line is there", async || {
        let (part, bytes) = part(&hub, id, 0, Some(20)).await;
        (!bytes.is_empty()).then_some((part, bytes))
    })
    .await;
    assert_eq!((bytes.as_slice(), first.complete, first.run), (b"one\n".as_slice(), false, 1));
    assert_eq!(hub.task(id).await.summary.status, Status::InProgress);
    std::fs::write(go, "").expect("it is ours");
    assert_eq!(whole(&hub, id).await, b"one\ntwo\n");
}

async fn a_hub_that_was_killed_gets_the_rest_of_a_log(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, "[]");
    let hub = plan.start().await;
    let site = hub.site("north").await;
    set_script(&site, TWO_LINES);
    let _agent = site.start();
    let go = site.files().join("go");
    let id = hub.submit("north", TYPE, json!(go)).await;
    until("the first line is there", async || (!part(&hub, id, 0, Some(20)).await.1.is_empty()).then_some(())).await;
    let plan = hub.kill().await;
    std::fs::write(go, "").expect("it is ours");
    let hub = plan.start().await;
    assert_eq!(whole(&hub, id).await, b"one\ntwo\n");
}

async fn progress_is_shown_and_does_not_stand_in_the_log(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, "[]");
    let hub = plan.start().await;
    let site = hub.site("north").await;
    set_script(&site, "#!/bin/sh\necho begun >&2\necho '@progress 40 Loading studies' >&2\necho ended >&2\necho 1\n");
    let _agent = site.start();
    let id = hub.submit("north", TYPE, json!({})).await;
    hub.ended(id).await;
    assert_eq!(whole(&hub, id).await, b"begun\nended\n");
    let progress = until("the progress is there", async || hub.task(id).await.progress).await;
    assert_eq!((progress.percent, progress.message.as_str()), (Some(40), "Loading studies"));
    assert!(hub.sortie(&["task", "show", &id.to_string()]).well().stdout.contains("40 %, Loading studies"));
}

async fn a_cut_line_costs_a_log_nothing(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, "[]");
    let net = Net::to(&plan.url()).await;
    let hub = plan.setting("url", net.url()).start().await;
    let site = hub.site("north").await;
    let script = "#!/bin/sh\nfor i in $(seq 1 400); do echo line $i >&2; sleep 0.003; done\necho 1\n";
    set_script(&site, script);
    let _agent = site.start();
    let id = hub.submit("north", TYPE, json!({})).await;
    for _ in 0..3 {
        let had = part(&hub, id, 0, None).await.0.next;
        until("more has come", async || (part(&hub, id, had, Some(5)).await.0.next > had).then_some(())).await;
        net.cut();
    }
    let lines: String = (1..=400).map(|i| format!("line {i}\n")).collect();
    assert_eq!(String::from_utf8(whole(&hub, id).await).expect("text"), lines);
}

async fn an_agent_that_was_killed_sends_what_it_has(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, "[]");
    let hub = plan.start().await;
    let site = hub.site("north").await;
    set_script(&site, TWO_LINES);
    let agent = site.start();
    let go = site.files().join("go");
    let id = hub.submit("north", TYPE, json!(go)).await;
    until("the first line is there", async || (!part(&hub, id, 0, Some(20)).await.1.is_empty()).then_some(())).await;
    agent.process.kill().await;
    std::fs::write(go, "").expect("it is ours");
    let _agent = site.start();
    assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
    // The type is idempotent, so the run began once more: its log goes on where it was.
    assert_eq!(String::from_utf8(whole(&hub, id).await).expect("text"), "one\none\ntwo\n");
    until("nothing is left on the agent's disk", async || {
        std::fs::read_dir(site.data().join("logs")).expect("the folder is there").next().is_none().then_some(())
    })
    .await;
}

async fn each_run_has_a_log_of_its_own(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, "[]");
    let hub = plan.start().await;
    let site = hub.site("north").await;
    set_script(&site, "#!/bin/sh\necho run $SORTIE_RUN >&2\n[ $SORTIE_RUN = 2 ] && echo 1 || exit 75\n");
    let _agent = site.start();
    let id = hub.submit("north", TYPE, json!({})).await;
    hub.ended(id).await;
    assert_eq!(whole(&hub, id).await, b"run 2\n");
    let first = hub.sortie(&["task", "log", &id.to_string(), "--run", "1", "--follow"]).well();
    assert_eq!(first.stdout, "run 1\n");
    hub.sortie(&["task", "log", &id.to_string(), "--run", "3"]).failed(3, &["no run 3"]);
}

async fn the_command_follows_a_log_to_its_end(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, "[]");
    let hub = plan.start().await;
    let site = hub.site("north").await;
    set_script(&site, "#!/bin/sh\nfor i in 1 2 3; do echo $i >&2; sleep 0.1; done\nprintf '\\377\\000' >&2\necho 1\n");
    let _agent = site.start();
    let id = hub.submit("north", TYPE, json!({})).await.to_string();
    let mut command = hub.command(&["task", "log", &id, "--follow"]);
    let output = command.output().expect("the command runs");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"1\n2\n3\n\xff\0".as_slice()));
    let rest = hub.command(&["task", "log", &id, "--offset", "4"]).output().expect("the command runs");
    assert_eq!(rest.stdout, b"3\n\xff\0");
    hub.sortie(&["task", "log", "01980c5e-7d1a-7c3e-9b7e-0123456789ab"]).failed(3, &["unknown_task"]);
}

async fn only_the_task_s_node_writes_its_log_and_only_those_who_may_read_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let (north, south) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let id = hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let held = north.take_one().await;
    let body = json!({ "pieces": [{ "task": id, "run": held.run, "offset": 0, "data": "aGVsbG8=" }] });
    let send = async |node: &stories::HandNode, body: &serde_json::Value| {
        node.request(http::Method::POST, "/logs").json(body).send().await
    };
    let answer = send(&south, &body).await.json();
    assert_eq!(answer["receipts"][0]["refused"]["code"], "not_your_task");
    assert_eq!(part(&hub, id, 0, None).await.1, b"");
    // A repeat and a gap change nothing and are told where to go on.
    for _ in 0..2 {
        assert_eq!(send(&north, &body).await.json()["receipts"][0]["next"], 5);
    }
    let gap = json!({ "pieces": [{ "task": id, "run": 1, "offset": 9, "data": "aGVsbG8=" }] });
    assert_eq!(send(&north, &gap).await.json()["receipts"][0]["next"], 5);
    let future = json!({ "pieces": [{ "task": id, "run": 2, "offset": 0, "data": "aGVsbG8=" }] });
    assert_eq!(send(&north, &future).await.json()["receipts"][0]["refused"]["code"], "field_invalid");
    let odd = json!({ "pieces": [{ "task": id, "run": 1, "offset": 5, "data": "not base64" }] });
    assert_eq!(send(&north, &odd).await.json()["pointer"], "/pieces/0/data");
    assert_eq!(part(&hub, id, 0, None).await.1, b"hello");
    let path = format!("/api/v1/tasks/{id}/log");
    assert_eq!(hub.request(http::Method::GET, &path).from(stories::As::Nobody).send().await.status, 401);
}
