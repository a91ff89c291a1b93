//! A hub with the pack, and a box that is set up as the pack's README says.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sortie_client::people::Hub;
use sortie_rules::desired::Standing;
use sortie_wire::desired::{NodeDesired, Publish};
use sortie_wire::reports::ReportQuery;
use sortie_wire::secrets::WriteSecret;
use sortie_wire::tasks::Task;
use stories::{RunningHub, Scene, Site, until};

/// What opens the backups of a box.
pub(crate) const PASSWORD: &str = "correct-horse-of-the-story";

/// The pack's folder in this repository.
pub(crate) fn pack() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/managed-box")
}

/// A hub with the pack and the backup's password.
pub(crate) async fn hub(scene: &Scene) -> RunningHub<'_> {
    let hub = scene.hub().setting("packs", format!("[{:?}]", pack())).start().await;
    let secret = WriteSecret { value: PASSWORD.to_owned() };
    hub.people().set_secret("backup-password", &secret).await.expect("an administrator may");
    hub
}

/// Where things are at a box, and what outlives its disk.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// `/etc/box` of the example.
    pub(crate) etc: PathBuf,
    /// `/var/lib/box`.
    pub(crate) state: PathBuf,
    /// `/srv/data`.
    pub(crate) data: PathBuf,
    /// `/srv/restored`.
    pub(crate) restored: PathBuf,
    /// `/srv/backup`: not on the box's own disk.
    pub(crate) backup: PathBuf,
    /// `/dev/disk/by-id`.
    pub(crate) disks: PathBuf,
    /// `/srv`, where disks are mounted.
    pub(crate) mounts: PathBuf,
}

impl Places {
    pub(crate) fn of(scene: &Scene, site: &Site<'_>) -> Places {
        let at = |name: &str| site.files().join(name);
        Places {
            etc: at("etc"),
            state: at("state"),
            data: at("srv/data"),
            restored: at("srv/restored"),
            backup: scene.folder().join("elsewhere"),
            disks: scene.folder().join("by-id"),
            mounts: at("srv"),
        }
    }

    pub(crate) fn make(&self) {
        for folder in [&self.etc, &self.data, &self.backup, &self.disks] {
            std::fs::create_dir_all(folder).expect("the story's folder can be written");
        }
    }
}

/// The policy of the pack's example, with its places in the story, and looked at every second.
pub(crate) fn policy(places: &Places, more: &str) -> String {
    let mut policy = std::fs::read_to_string(pack().join("site/policy.toml")).expect("the pack has an example");
    let text = |path: &Path| path.display().to_string();
    for (from, to) in [
        ("/usr/local/lib/sortie", text(&pack().join("site"))),
        ("\"/srv/data\"", format!("{:?}", places.data)),
        ("\"/srv/backup\"", format!("{:?}", places.backup)),
        ("\"/srv/restored\"", format!("{:?}", places.restored)),
        (
            "STORAGE_MOUNTS = \"/srv\"",
            format!("STORAGE_MOUNTS = {:?}, STORAGE_BY_ID = {:?}", places.mounts, places.disks),
        ),
        (
            "args = [\"report\"]\n",
            format!("args = [\"report\"]\nenvironment = {{ STORAGE_BY_ID = {:?} }}\n", places.disks),
        ),
        ("/etc/box", text(&places.etc)),
        ("/var/lib/box", text(&places.state)),
        ("every_s = 900", "every_s = 1".to_owned()),
        ("every_s = 60", "every_s = 1".to_owned()),
        ("\n[desired_files]", "\nlook_every_s = 1\n\n[desired_files]".to_owned()),
    ] {
        assert!(policy.contains(from), "the example names no `{from}`");
        policy = policy.replace(from, &to);
    }
    policy + more
}

/// The resources of a box whose data is backed up: its targets, made of data, and the password.
pub(crate) fn backed_up(places: &Places) -> Value {
    let target = json!({
        "repository": places.backup.join("box"), "password_file": places.etc.join("backup.password"),
        "paths": [places.data], "exclude": ["*.tmp"], "create": true,
    });
    json!({
        "file/backup-targets": {"spec": {
            "path": places.etc.join("backup.json"), "format": "json", "data": {"targets": {"home": target}},
        }},
        "file/backup-password": {"spec": {
            "path": places.etc.join("backup.password"), "content": {"$secret": "backup-password"}, "mode": "0600",
        }},
    })
}

/// Publishes a state for a layer.
pub(crate) async fn publish(people: &Hub, layer: &str, state: Value) {
    let publish = Publish { state: Some(state), message: "as the story wants it".to_owned(), ..Publish::default() };
    people.publish(&layer.parse().expect("a layer"), &publish, None).await.expect("it can be published");
}

/// Waits until a node has told this of the generation that is meant.
pub(crate) async fn stands(people: &Hub, node: &str, standing: Standing) -> NodeDesired {
    let what = format!("{node} is {}", standing.as_str());
    until(&what, async || {
        let desired = people.node_desired(node).await.expect("the node is there");
        let found = desired.observed.as_ref()?;
        let is_so = found.standing == standing && found.observed.generation == desired.generation;
        (is_so && desired.generation > 0).then_some(desired)
    })
    .await
}

/// What becomes of a task at the box.
pub(crate) async fn done(hub: &RunningHub<'_>, type_name: &str, payload: Value) -> Task {
    let id = hub.submit("box", type_name, payload).await;
    hub.ended(id).await
}

/// The result of a task that completes.
pub(crate) async fn result(hub: &RunningHub<'_>, type_name: &str, payload: Value) -> Value {
    let task = done(hub, type_name, payload).await;
    task.result.unwrap_or_else(|| panic!("{:?}", task.summary))
}

/// What a task that does not complete says.
pub(crate) async fn failure(hub: &RunningHub<'_>, type_name: &str, payload: Value) -> String {
    let task = done(hub, type_name, payload).await;
    assert_eq!(task.summary.status.as_str(), "failed", "{:?}", task.summary);
    task.summary.message.unwrap_or_default()
}

/// The newest that the box has reported of this subject, if anything.
pub(crate) async fn reported(people: &Hub, kind: &str, subject: &str) -> Option<Value> {
    let (kind, subject) = (Some(kind.to_owned()), Some(subject.to_owned()));
    let query = ReportQuery { kind, subject, facts: true, limit: Some(1), after: None };
    let page = people.reports("box", &query).await.expect("an administrator may look");
    serde_json::from_str(page.items.first()?.facts.as_ref()?.get()).ok()
}
