//! A restore that is killed at any of its steps: no hub starts on what it has left, and the same command again comes
//! to its end.

use stories::{Calls, Ended, HubPlan, Scene, on_both_engines, was_killed};

use crate::setup::{back_up, backup_file, restore};

on_both_engines!(a_restore_that_is_killed_at_any_step_is_done_again);

/// More than there are.
const STEPS_MAX: u32 = 200;

async fn a_restore_that_is_killed_at_any_step_is_done_again(scene: Scene) {
    let (plan, _) = scene.hub().start().await.stop().await;
    let file = backup_file(&scene);
    back_up(&plan, &file).well();
    for (calls, stride) in [("fsync", 4), ("rename", 3), ("unlink,unlinkat", 2)] {
        let mut cuts = 0;
        for nth in (1..STEPS_MAX).step_by(stride) {
            let target = plan.anew(&format!("{}-{nth}", calls.split(',').next().unwrap()));
            if !killed_at(&target, &file, calls, nth) {
                break;
            }
            cuts += 1;
            if target.data().join("restoring").exists() {
                let refused = Ended::of(&mut target.command());
                refused.failed(2, &["was cut short", "sortie restore"]);
                restore(&target, &file).well();
            } else if !target.data().join("admin.token").exists() {
                restore(&target, &file).well();
            }
            let hub = target.start().await;
            assert_eq!(hub.people().whoami().await.unwrap().name, "admin");
            assert_eq!(hub.events("hub.restored").await.len(), 1);
            hub.kill().await;
        }
        assert!(cuts > 0, "{calls}: it was never killed");
    }
}

/// Whether it was killed at this step, and not done before.
fn killed_at(target: &HubPlan<'_>, file: &std::path::Path, calls: &'static str, nth: u32) -> bool {
    let under = target.clone().under(&Calls::of(calls).kill_at(nth));
    let output = under.tool(&["restore"]).arg("--from").arg(file).output().expect("strace can be run");
    assert!(was_killed(output.status) || output.status.success(), "{output:?}");
    !output.status.success()
}
