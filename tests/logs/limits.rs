//! A log has an end, with a mark that says so.

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Scene, on_sqlite};

use crate::help::{TYPE, give_type, set_script, whole};

on_sqlite!(a_log_is_cut_at_ten_megabytes_with_a_mark_and_the_task_completes);

async fn a_log_is_cut_at_ten_megabytes_with_a_mark_and_the_task_completes(scene: Scene) {
    let plan = scene.hub();
    give_type(&plan, "[]");
    let hub = plan.start().await;
    let site = hub.site("north").await;
    set_script(&site, "#!/bin/sh\nyes 0123456789 | head -c 12000000 >&2\necho 1\n");
    let _agent = site.start();
    let id = hub.submit("north", TYPE, json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
    let log = whole(&hub, id).await;
    assert_eq!(log.len(), 10_000_000);
    assert!(log.ends_with(b"\n[the log ends here: a task's log has at most 10 MB]\n"));
    assert!(log.starts_with(b"0123456789\n0123456789\n"));
}
