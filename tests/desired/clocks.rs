//! A box whose clock jumps while its agent runs.

use std::path::{Path, PathBuf};

use serde_json::json;
use sortie_rules::desired::Standing;
use stories::{Scene, Site, on_sqlite};

use crate::help::{file, holds, keeping, publish, stands};

on_sqlite!(a_box_whose_clock_jumps_keeps_itself_in_order,);

/// The site's programs with a clock that goes by what a file says of it, from one moment to the next.
fn by_file<'s>(site: Site<'s>, file: &Path) -> Site<'s> {
    let folders = std::fs::read_dir("/usr/lib").expect("Debian has one");
    let libraries = folders.flatten().map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let library: PathBuf = libraries.into_iter().find(|path| path.exists()).expect("`xtask test` installs faketime");
    site.variable("LD_PRELOAD", library)
        .variable("FAKETIME_TIMESTAMP_FILE", file)
        .variable("FAKETIME_NO_CACHE", "1")
        .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .variable("NO_FAKE_STAT", "1")
}

async fn a_box_whose_clock_jumps_keeps_itself_in_order(scene: Scene) {
    let hub = scene.hub().start().await;
    let (people, clock) = (hub.people(), scene.folder().join("clock"));
    std::fs::write(&clock, "+0d").unwrap();
    let site = by_file(hub.site("north").await, &clock);
    site.set_policy(&keeping(&site, ""));
    let _agent = site.start();
    let motd = site.files().join("motd");
    publish(&people, "org", json!({"resources": {"file/motd": file(&motd, "first")}})).await;
    stands(&people, "north", Standing::Converged).await;
    for (jump, before, after) in [("+400d", "first", "second"), ("-400d", "second", "third")] {
        std::fs::write(&clock, jump).unwrap();
        std::fs::write(&motd, "by hand").unwrap();
        holds(&motd, before).await;
        publish(&people, "org", json!({"resources": {"file/motd": file(&motd, after)}})).await;
        holds(&motd, after).await;
        stands(&people, "north", Standing::Converged).await;
    }
    // The hub saw it jump, so it was the agent's clock that did.
    let skew = people.node("north").await.unwrap().clock_skew_ms;
    assert!(skew.is_some_and(|skew| skew.abs() > 300 * 86_400_000), "{skew:?}");
}
