//! Taking backups: of a hub at work, into a file or a pipe, and what is refused.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::json;
use stories::{Calls, Ended, Program, Scene, on_both_engines, on_sqlite, until};

use crate::callers::Callers;
use crate::setup::{back_up, backup_file, restore};

on_both_engines!(
    a_backup_of_a_hub_at_work_holds_everything_as_of_one_moment,
    a_backup_in_the_middle_of_a_burst_holds_all_that_was_acknowledged_before_it_began,
);
on_sqlite!(
    a_backup_through_a_pipe_is_the_same_file,
    a_file_that_is_there_is_written_over_only_if_that_was_said,
    what_holds_no_hub_is_not_backed_up,
    a_backup_that_cannot_be_written_leaves_nothing,
);

async fn a_backup_of_a_hub_at_work_holds_everything_as_of_one_moment(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    for _ in 0..3 {
        let id = hub.submit("north", "sys.info", json!({})).await;
        hub.ended(id).await;
    }
    let file = backup_file(&scene);
    let manifest = back_up(hub.plan(), &file).well().json();
    let engine = if scene.postgres().is_some() { "postgres" } else { "sqlite" };
    assert_eq!((&manifest["format"], &manifest["engine"]), (&json!(1), &json!(engine)));
    let tables = manifest["tables"].as_array().unwrap();
    let rows = |name: &str| tables.iter().find(|table| table["name"] == name).unwrap()["rows"].clone();
    assert_eq!((rows("nodes"), rows("tasks")), (json!(1), json!(3)));
    let members: Vec<&str> =
        manifest["members"].as_array().unwrap().iter().map(|member| member["name"].as_str().unwrap()).collect();
    // The keys of hubs on PostgreSQL are in a table, sealed.
    let keys: &[&str] = match scene.postgres() {
        Some(_) => &["tables/hub_keys.000001"],
        None => &["keys/secrets.key", "keys/ring.json"],
    };
    for name in ["sortie-backup.json", "tables/tasks.000001", "admin.token"].iter().chain(keys) {
        assert!(members.contains(name), "{name}: {members:?}");
    }
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "for its owner alone");
    // The hub has noticed nothing.
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}

async fn a_backup_in_the_middle_of_a_burst_holds_all_that_was_acknowledged_before_it_began(scene: Scene) {
    let hub = scene.hub().setting("limits.requests_per_principal", 0).start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let journal = site.files().join("journal");
    let callers = Callers::start(&hub.url(), &hub.admin_token(), &journal);
    callers.have_made(60).await;
    let before = callers.submitted();
    let file = backup_file(&scene);
    back_up(hub.plan(), &file).well();
    let after = callers.submitted();
    callers.have_made(60).await;
    callers.stop().await;
    assert!(before.len() < after.len(), "they wrote while the backup was made: {} {}", before.len(), after.len());
    let token = hub.admin_token();
    let restored = hub.plan().anew("restored");
    drop(hub.kill().await);
    restore(&restored, &file).well();
    let hub = restored.start().await;
    let kept: BTreeSet<String> = hub.plan().sql("select id from tasks").into_iter().collect();
    assert!(before.values().all(|id| kept.contains(id)), "what was acknowledged before is there");
    let told = "select count(distinct task) from events where kind = 'task.submitted'";
    assert_eq!(hub.plan().sql(told), [kept.len().to_string()], "no task without its event, and none the other way");
    // Whoever repeats what was acknowledged gets the same answer.
    let again = Callers::start(&hub.url(), &token, &journal);
    until("they have repeated it", async || {
        let submitted = again.submitted();
        before.keys().all(|line| submitted.contains_key(line)).then_some(())
    })
    .await;
    let repeated = again.stop().await;
    for (line, id) in &before {
        assert_eq!(repeated.get(line), Some(id), "{line}");
    }
    let open = "select count(*) from tasks where status <> 'completed'";
    until("all are done", async || (hub.plan().sql(open) == ["0"]).then_some(())).await;
    // Of what was kept nothing is done twice. What came after the backup was submitted anew, and is another task.
    let written = site.lines("journal");
    for line in before.keys() {
        assert_eq!(written.iter().filter(|written| *written == line).count(), 1, "{line}");
    }
}

async fn a_backup_through_a_pipe_is_the_same_file(scene: Scene) {
    let (plan, _) = scene.hub().start().await.stop().await;
    let file = backup_file(&scene);
    let to = std::fs::File::create(&file).unwrap();
    let status = plan.tool(&["backup", "--to", "-"]).stdout(to).stderr(Stdio::null()).status().unwrap();
    assert!(status.success());
    let restored = plan.anew("restored");
    restore(&restored, &file).well();
    assert_eq!(restored.start().await.people().whoami().await.unwrap().name, "admin");
    let both = Ended::of(&mut plan.tool(&["backup", "--to", "-", "--json"]));
    both.failed(2, &["standard output holds the backup"]);
}

async fn a_file_that_is_there_is_written_over_only_if_that_was_said(scene: Scene) {
    let (plan, _) = scene.hub().start().await.stop().await;
    let file = backup_file(&scene);
    std::fs::write(&file, "something else").unwrap();
    back_up(&plan, &file).failed(2, &["is there already", "--yes"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "something else");
    Ended::of(plan.tool(&["backup"]).args(["--yes", "--to"]).arg(&file)).well();
    restore(&plan.anew("restored"), &file).well();
}

async fn what_holds_no_hub_is_not_backed_up(scene: Scene) {
    let file = backup_file(&scene);
    back_up(&scene.hub(), &file).failed(2, &["holds no store of a hub"]);
    assert!(!file.exists());
    assert!(!scene.hub().data().exists(), "and nothing was made");
    Program::Sortie.run(["backup", "--data", "/nowhere"]).failed(2, &["--to"]);
}

async fn a_backup_that_cannot_be_written_leaves_nothing(scene: Scene) {
    let (plan, _) = scene.hub().start().await.stop().await;
    back_up(&plan, &scene.folder().join("no/such/folder")).failed(1, &["no/such/folder"]);
    let full = plan.clone().under(&Calls::of("write").fail_with("ENOSPC"));
    let file = backup_file(&scene);
    let failed = back_up(&full, &file);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    let left: Vec<_> = std::fs::read_dir(scene.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("hub.backup")), "{left:?}");
}
