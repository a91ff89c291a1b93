//! Reports: what programs of the site say of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use sortie_wire::reports::ReportQuery;
use stories::{Scene, Site, on_both_engines, until};

use crate::help::keeping;

on_both_engines!(
    a_program_of_the_site_reports_and_the_newest_is_always_there,
    a_report_s_only_subject_needs_no_name_and_of_several_one_is_asked_for,
);

/// A program of the site that prints what is in a file, and the file.
fn teller(site: &Site<'_>, name: &str) -> (PathBuf, PathBuf) {
    let (program, said) = (site.files().join(name), site.files().join(format!("{name}.says")));
    std::fs::write(&program, format!("#!/bin/sh\ncat {}\n", said.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    (program, said)
}

async fn a_program_of_the_site_reports_and_the_newest_is_always_there(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let site = hub.site("north").await;
    let (program, said) = teller(&site, "backup");
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

async fn a_report_s_only_subject_needs_no_name_and_of_several_one_is_asked_for(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let ((disk, of_disk), (backup, of_backup)) = (teller(&site, "disk"), teller(&site, "backup"));
    std::fs::write(of_disk, json!([{"subject": "sda", "facts": {"free": 7}}]).to_string()).unwrap();
    let both = json!([{"subject": "nas", "facts": {"ok": true}}, {"subject": "cloud", "facts": {"ok": false}}]);
    std::fs::write(of_backup, both.to_string()).unwrap();
    let program = |kind: &str, program| format!("[reports.{kind}]\nkind = {kind:?}\nprogram = {program:?}\n");
    site.set_policy(&keeping(&site, &(program("disk", disk) + &program("backup", backup))));
    let _agent = site.start();
    until("all three are there", async || {
        let listed = hub.sortie(&["report", "list", "north"]).well().stdout;
        ["sda", "nas", "cloud"].iter().all(|subject| listed.contains(subject)).then_some(())
    })
    .await;
    let facts: Value = hub.sortie(&["report", "show", "north", "disk"]).well().json();
    assert_eq!(facts, json!({"free": 7}));
    let unsaid = hub.sortie(&["report", "show", "north", "backup"]);
    unsaid.failed(2, &["cloud, nas", "--subject"]);
    let facts: Value = hub.sortie(&["report", "show", "north", "backup", "--subject", "cloud"]).well().json();
    assert_eq!(facts, json!({"ok": false}));
}
