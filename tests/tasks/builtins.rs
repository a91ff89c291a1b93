//! What every agent can do is really done, and only where the site allows it.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sortie_rules::tasks::Status;
use sortie_wire::tasks::Task;
use stories::{Ended, RunningHub, Scene, Site, on_sqlite};

on_sqlite!(
    a_machine_tells_about_itself,
    a_folder_s_checksum_is_what_other_programs_make_of_it,
    a_checksum_stays_within_the_folders_of_the_site,
    lines_are_added_where_the_site_allows_it_and_nowhere_else,
    what_cannot_be_done_fails_with_a_sentence,
);

async fn run(hub: &RunningHub<'_>, kind: &str, payload: Value) -> Task {
    let task = json!({ "type": kind, "node": "north", "payload": payload, "max_retries": 0 });
    let id = crate::help::submit(hub, task).await;
    hub.ended(id).await
}

async fn checksum(hub: &RunningHub<'_>, path: &Path) -> Task {
    run(hub, "file.checksum", json!({ "path": path })).await
}

#[track_caller]
fn is_forbidden(task: &Task) {
    let seen = &task.summary;
    assert_eq!(seen.status, Status::Rejected, "{seen:?}");
    assert_eq!(seen.code.as_ref().map(|code| code.0.as_str()), Some("forbidden_by_policy"));
    assert!(seen.message.is_some());
}

/// What a shell says in this folder.
fn shell(folder: &Path, script: &str) -> String {
    let ended = Ended::of(Command::new("sh").args(["-c", script]).env("LC_ALL", "C").current_dir(folder));
    ended.well().stdout.trim().to_owned()
}

async fn a_machine_tells_about_itself(scene: Scene) {
    let hub = scene.hub().start().await;
    let _agent = hub.site("north").await.start();
    let facts = run(&hub, "sys.info", json!({})).await.result.expect("it completed");
    let told = |script: &str| shell(scene.folder(), script);
    assert_eq!(facts["kernel"], told("uname -r"));
    assert_eq!(facts["hostname"], told("uname -n"));
    assert_eq!(facts["os"], "linux");
    assert_eq!(facts["agent_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(facts["cpus"].to_string(), told("nproc"));
    let kilobytes: u64 = told("sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo").parse().expect("a number");
    assert_eq!(facts["memory_bytes"], kilobytes * 1024);
    let free = facts["data_disk"]["available_bytes"].as_u64().expect("a number");
    assert!(free > 0 && Some(free) <= facts["data_disk"]["total_bytes"].as_u64(), "{facts}");
}

async fn a_folder_s_checksum_is_what_other_programs_make_of_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let tree = site.files().join("tree");
    std::fs::create_dir_all(tree.join("a/deeper")).expect("the story's folder can be written");
    let large = vec![7_u8; 3_000_000];
    for (name, bytes) in [("a/x", &b"x"[..]), ("a/deeper/large", &large), ("a-b", b""), ("größe", b"1"), ("z z", b"2")]
    {
        std::fs::write(tree.join(name), bytes).expect("the story's folder can be written");
    }
    symlink("/etc/passwd", tree.join("link")).expect("the story's folder can be written");
    let seen = checksum(&hub, &tree).await.result.expect("it completed");
    let lines = "find * -type f | sort | while read -r name; do sha256sum -- \"$name\"; done | sha256sum | cut -c1-64";
    assert_eq!(seen["sha256"], shell(&tree, lines));
    assert_eq!((&seen["files"], &seen["bytes"], &seen["skipped"]), (&json!(5), &json!(3_000_003), &json!(1)));
    let one = checksum(&hub, &tree.join("a/deeper/large")).await.result.expect("it completed");
    assert_eq!(one["sha256"], shell(&tree, "sha256sum a/deeper/large | cut -c1-64"));
}

async fn a_checksum_stays_within_the_folders_of_the_site(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let (files, own) = (site.files(), site.data());
    symlink(&own, files.join("own")).expect("the story's folder can be written");
    symlink(own.join("policy.toml"), files.join("policy")).expect("the story's folder can be written");
    for path in [
        own.clone(),
        own.join("policy.toml"),
        files.join("../agent/policy.toml"),
        files.join("own/policy.toml"),
        files.join("policy"),
        files.join(".."),
        "/etc/passwd".into(),
    ] {
        is_forbidden(&checksum(&hub, &path).await);
    }
    assert_eq!(checksum(&hub, &files).await.summary.status, Status::Completed);
}

async fn lines_are_added_where_the_site_allows_it_and_nowhere_else(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let (files, own) = (site.files(), site.data());
    let append = async |path: &Path, line: &str| run(&hub, "file.append", json!({ "path": path, "line": line })).await;
    for (line, offset, bytes) in [("one", 0, 4), ("zwei: ü", 4, 9), ("", 13, 1)] {
        let seen = append(&files.join("journal"), line).await.result.expect("it completed");
        assert_eq!(seen, json!({ "offset": offset, "bytes": bytes }));
    }
    assert_eq!(site.lines("journal"), ["one", "zwei: ü", ""]);

    let policy = std::fs::read(own.join("policy.toml")).expect("it is there");
    symlink(&own, files.join("own")).expect("the story's folder can be written");
    for path in [own.join("policy.toml"), files.join("../agent/policy.toml"), files.join("own/policy.toml")] {
        is_forbidden(&append(&path, "default = \"allow\"").await);
    }
    symlink(own.join("policy.toml"), files.join("link")).expect("the story's folder can be written");
    assert_eq!(append(&files.join("link"), "default = \"allow\"").await.summary.status, Status::Failed);
    assert_eq!(std::fs::read(own.join("policy.toml")).expect("it is there"), policy);
    the_agent_s_own_files_are_out_of_reach(&hub, &site).await;
}

/// Whatever the policy allows.
async fn the_agent_s_own_files_are_out_of_reach(hub: &RunningHub<'_>, site: &Site<'_>) {
    site.set_policy("allow = [\"file.append\"]\n[file_append]\nroots = [\"/\"]\n");
    let outside = site.data().with_file_name("elsewhere");
    stories::until("the new policy is heard", async || {
        let task = run(hub, "file.append", json!({ "path": outside, "line": "x" })).await;
        (task.summary.status == Status::Completed).then_some(())
    })
    .await;
    for file in ["policy.toml", "ledger.db", "new"] {
        is_forbidden(&run(hub, "file.append", json!({ "path": site.data().join(file), "line": "x" })).await);
    }
    assert!(!site.data().join("new").exists());
}

async fn what_cannot_be_done_fails_with_a_sentence(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    std::fs::create_dir(site.files().join("folder")).expect("the story's folder can be written");
    for (kind, name, code) in [
        ("file.checksum", "missing", "not_readable"),
        ("file.append", "missing/journal", "not_writable"),
        ("file.append", "folder", "not_writable"),
    ] {
        let mut payload = json!({ "path": site.files().join(name) });
        if kind == "file.append" {
            payload["line"] = json!("x");
        }
        let failed = run(&hub, kind, payload).await.summary;
        assert_eq!((failed.status, failed.code.map(|code| code.0).as_deref()), (Status::Failed, Some(code)), "{name}");
        assert!(failed.message.is_some_and(|sentence| !sentence.is_empty()));
    }
}
