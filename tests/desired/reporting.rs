//! Reports: what programs of the site say of it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use sortie_wire::reports::ReportQuery;
use stories::{Scene, on_both_engines, until};

use crate::help::keeping;

on_both_engines!(a_program_of_the_site_reports_and_the_newest_is_always_there);

async fn a_program_of_the_site_reports_and_the_newest_is_always_there(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let site = hub.site("north").await;
    let (program, said) = (site.files().join("backup"), site.files().join("said"));
    std::fs::write(&program, format!("#!/bin/sh\ncat {}\n", said.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let say = |facts: Value| {
        let beside = site.files().join("said.new");
        std::fs::write(&beside, facts.to_string()).unwrap();
        std::fs::rename(beside, &said).unwrap();
    };
    say(json!([{"subject": "nas", "facts": {"ok": true}}, {"subject": "cloud", "facts": {"ok": false}}]));
    site.set_policy(&keeping(
        &site,
        &format!("[reports.backups]\nkind = \"backup\"\nprogram = {program:?}\nevery_s = 1\n"),
    ));
    let _agent = site.start();
    let query = |subject: Option<&str>, kind: &str| ReportQuery {
        kind: Some(kind.to_owned()),
        subject: subject.map(str::to_owned),
        facts: true,
        limit: Some(1),
        ..ReportQuery::default()
    };
    let newest = async |subject: &str| {
        let page = people.reports("north", &query(Some(subject), "backup")).await.unwrap();
        let facts = page.items.first()?.facts.clone()?;
        serde_json::from_str::<Value>(facts.get()).ok()
    };
    until("both were reported", async || {
        (newest("nas").await? == json!({"ok": true}) && newest("cloud").await.is_some()).then_some(())
    })
    .await;
    // What is no report is not sent, and what comes after it is.
    std::fs::write(&said, "no report").unwrap();
    until("it is told at the site", async || site.log().contains("backups").then_some(())).await;
    say(json!([{"subject": "nas", "facts": {"ok": "again"}}]));
    until("the newest is there", async || (newest("nas").await? == json!({"ok": "again"})).then_some(())).await;
    let all = people.reports("north", &ReportQuery::default()).await.unwrap().items;
    let kinds: Vec<_> =
        all.iter().map(|one| (one.kind.as_str(), one.subject.as_deref(), one.source.as_str())).collect();
    assert!(
        kinds.contains(&("backup", Some("nas"), "backups")) && kinds.contains(&("backup", Some("cloud"), "backups")),
        "{kinds:?}"
    );
    until("the agent's own facts are there", async || {
        (!people.reports("north", &query(None, "facts")).await.unwrap().items.is_empty()).then_some(())
    })
    .await;
}
