//! The handshake over a disk: the box tells of it under its durable id, somebody gives that id a policy, and the box
//! applies it. The disks are files, which the kernel mounts as it does disks.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sortie_rules::desired::{ConditionStatus, Standing};
use sortie_wire::reports::ReportQuery;
use stories::{RunningHub, Scene, on_sqlite, until};

use crate::help::{condition, publish, stands};

on_sqlite!(a_disk_is_told_of_given_a_policy_and_mounted_where_that_says,);

const DISK: &str = "ata-DISK_4711";

/// What is mounted there is mounted no more when the story ends, however it does.
struct Mounted<'p>(&'p Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _not_mounted = Command::new("umount").arg("--lazy").arg(self.0).output();
    }
}

async fn a_disk_is_told_of_given_a_policy_and_mounted_where_that_says(scene: Scene) {
    let plan = scene.hub();
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/managed-box");
    let hub = plan.setting("packs", format!("[{:?}]", pack)).start().await;
    let people = hub.people();
    let site = hub.site("box").await;
    let (disks, mounts) = (site.files().join("by-id"), site.files().join("srv"));
    for folder in [&disks, &mounts] {
        std::fs::create_dir_all(folder).unwrap();
    }
    let program = pack.join("site/storage.py");
    let environment = format!("environment = {{ STORAGE_BY_ID = {disks:?}, STORAGE_MOUNTS = {mounts:?} }}\n");
    site.set_policy(&format!(
        "[desired]\nkinds = [\"storage.policy\"]\nlook_every_s = 1\n\
         [appliers.\"storage.policy\"]\n\
         check = [{program:?}, \"check\"]\napply = [{program:?}, \"apply\"]\n{environment}\
         [reports.storage]\nkind = \"storage\"\nprogram = {program:?}\nargs = [\"report\"]\nevery_s = 1\n{environment}"
    ));
    let place = mounts.join("backup");
    let _mounted = Mounted(&place);
    let _agent = site.start();
    let policy = |format: &str| {
        json!({"resources": {"storage.policy/backup": {"spec": {
            "durable_id": DISK, "use": "backup", "mount": place, "format": format,
        }}}})
    };
    // A policy may be there before the disk: it waits for it.
    publish(&people, "node:box", policy("never")).await;
    let desired = stands(&people, "box", Standing::Failing).await;
    let (status, _, message) = condition(&desired, "storage.policy/backup");
    assert!(status == ConditionStatus::Failed && message.contains("not plugged in"), "{status:?} {message}");
    let disk = site.files().join("disk");
    std::fs::File::create(&disk).unwrap().set_len(16 << 20).unwrap();
    std::os::unix::fs::symlink(&disk, disks.join(DISK)).unwrap();
    let told = facts(&hub).await;
    assert_eq!(
        (&told["blank"], &told["size_bytes"], &told["mounted_at"]),
        (&json!(true), &json!(16 << 20), &Value::Null)
    );
    until("it is not formatted, since nobody said so", async || {
        let desired = people.node_desired("box").await.unwrap();
        condition(&desired, "storage.policy/backup").2.contains("does not let it be formatted").then_some(())
    })
    .await;
    publish(&people, "node:box", policy("if_blank")).await;
    stands(&people, "box", Standing::Converged).await;
    std::fs::write(place.join("kept"), "x").unwrap();
    // Pulled out by hand: it is mounted again, and what was on it is there.
    assert!(Command::new("umount").arg(&place).status().unwrap().success());
    until("it is mounted again", async || place.join("kept").exists().then_some(())).await;
    until("the report tells where", async || (facts(&hub).await["mounted_at"] == json!(place)).then_some(())).await;
    let none = json!({"resources": {"storage.policy/backup": {"spec": {"durable_id": DISK, "use": "none"}}}});
    publish(&people, "node:box", none).await;
    stands(&people, "box", Standing::Converged).await;
    assert!(!place.join("kept").exists());
}

/// What the box says of the disk.
async fn facts(hub: &RunningHub<'_>) -> Value {
    let (kind, subject) = (Some("storage".to_owned()), Some(DISK.to_owned()));
    let query = ReportQuery { kind, subject, facts: true, limit: Some(1), after: None };
    until("the disk is told of", async || {
        let page = hub.people().reports("box", &query).await.unwrap();
        let facts = page.items.first()?.facts.clone()?;
        serde_json::from_str(facts.get()).ok()
    })
    .await
}
