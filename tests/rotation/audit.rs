//! An export of the audit log that spans a rotation of the key which signs it.

use sortie_wire::hub_keys::Rotatable;
use stories::{Ended, Program, RunningHub, Scene, on_sqlite};

use crate::steps::{finish, rotate_at_once};

on_sqlite!(an_export_holds_over_a_rotation_by_all_the_keys_that_the_hub_ever_had);

/// The keys as the hub tells them now, in a file of this name.
fn keys(hub: &RunningHub<'_>, name: &str) -> String {
    let file = hub.scene().folder().join(name);
    std::fs::write(&file, hub.sortie(&["audit", "keys"]).well().stdout).expect("the folder can be written");
    file.display().to_string()
}

async fn an_export_holds_over_a_rotation_by_all_the_keys_that_the_hub_ever_had(scene: Scene) {
    let hub = scene.hub().start().await;
    let log = scene.folder().join("log").display().to_string();
    let export = || hub.sortie(&["audit", "export", "--out", &log]).well();
    export();
    let former = keys(&hub, "former.json");
    rotate_at_once(&hub, Rotatable::Delivery).await;
    finish(&hub, true).await;
    export();
    let all = keys(&hub, "all.json");
    hub.stop().await;
    let verify = |keys: &str| {
        let mut command = Program::Sortie.command();
        Ended::of(command.args(["audit", "verify", &log, "--keys", keys]))
    };
    let text = std::fs::read_to_string(&log).expect("it was exported");
    assert_eq!(text.matches("\"head\":").count(), 2, "one signed by each key: {text}");
    let proved = verify(&all).well();
    assert!(!proved.stderr.contains("not checked"), "{proved:?}");
    verify(&former).failed(7, &["the hub has not signed this head", "no key that is trusted"]);
}
