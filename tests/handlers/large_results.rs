//! Results that are too large to send stay at the site, and the task says where.

use serde_json::json;
use stories::{Scene, on_sqlite};

use crate::help::stage;

on_sqlite!(a_result_over_ten_megabytes_is_kept_at_the_site, the_largest_result_that_may_be_sent_is);

const SCRIPT: &str = "#!/bin/sh\nread bytes\nprintf '\"'\nhead -c $((bytes - 2)) /dev/zero | tr '\\0' x\nprintf '\"'\n";

async fn a_result_over_ten_megabytes_is_kept_at_the_site(scene: Scene) {
    let stage = stage(&scene, SCRIPT, "").await;
    let task = stage.fails(json!(10_000_001), "result_too_large", "10000001 bytes; it is kept at the site in").await;
    let message = task.summary.message.expect("a message");
    let path = message.rsplit(" in ").next().expect("a path");
    assert_eq!(std::fs::metadata(path).expect("it is kept").len(), 10_000_001);
    assert_eq!(task.summary.retries, 0);
}

async fn the_largest_result_that_may_be_sent_is(scene: Scene) {
    let stage = stage(&scene, SCRIPT, "").await;
    let task = stage.done(json!(10_000_000)).await;
    assert_eq!(task.result.expect("it completed").as_str().map(str::len), Some(9_999_998));
    let kept = std::fs::read_dir(stage.site.data().join("results")).expect("the folder is there");
    assert_eq!(kept.count(), 0);
}
