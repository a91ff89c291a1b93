//! What a site tells of itself.

use sortie_wire::reports::SendReport;

use super::appliers::program;
use super::desired::{Stage, until};
use super::program::{Program, log_of};

async fn report(stage: &Stage, kind: &str, subject: Option<&str>) -> SendReport {
    stage
        .hub
        .desk
        .until(kind, |asked| {
            asked.reports.iter().find(|one| one.kind == kind && one.subject.as_deref() == subject).cloned()
        })
        .await
}

#[tokio::test]
async fn facts_of_the_machine_are_told_once_unless_the_site_says_no() {
    let mut stage = Stage::new("").await;
    let facts = report(&stage, "facts", None).await;
    assert_eq!(facts.source, "agent");
    assert!(facts.facts.get().contains("\"hostname\""));
    stage.stop().await;
    stage.set_policy("[reports]\nfacts = false");
    stage.start();
    let waits = stage.hub.desk.look(|asked| asked.waits.len());
    stage.hub.desk.until("the next start", |asked| (asked.waits.len() > waits).then_some(())).await;
    stage.stop().await;
    stage.hub.desk.look(|asked| assert_eq!(asked.reports.len(), 1));
}

#[tokio::test]
async fn programs_report_what_they_find_and_the_newest_wins_while_the_hub_is_away() {
    let mut stage = Stage::quiet("").await;
    let disks =
        program(&stage, "disks", r#"echo '[{"subject":"sda","facts":{"n":1}},{"subject":"sdb","facts":{"n":2}}]'"#);
    let count = r#"files=$(dirname "$0")/files; echo x >> "$files/count"; printf '{"n":%s}' $(wc -l < "$files/count")"#;
    let counter = program(&stage, "counter", count);
    let bad = program(&stage, "bad", "echo 'password: hunter2'");
    let failing = program(&stage, "failing", "echo 'no disks' >&2; exit 3");
    let table = |name: &str, kind: &str, path: &std::path::Path, every: u32| {
        format!("[reports.{name}]\nkind = \"{kind}\"\nprogram = {path:?}\nevery_s = {every}\n")
    };
    let tables = [
        table("disks", "inventory", &disks, 60),
        table("counter", "count", &counter, 1),
        table("bad", "bad", &bad, 60),
        table("failing", "failing", &failing, 60),
    ];
    stage.set_policy(&tables.concat());
    stage.hub.go_away().await;
    let running = Program::start(&stage.site);
    until(|| stage.read("count").is_some_and(|text| text.lines().count() >= 3)).await;
    stage.hub.come_back().await;
    let sdb = report(&stage, "inventory", Some("sdb")).await;
    assert_eq!((sdb.facts.get(), sdb.source.as_str()), ("{\"n\":2}", "disks"));
    let first = report(&stage, "count", None).await;
    assert!(!["{\"n\":1}", "{\"n\":2}"].contains(&first.facts.get()), "only the newest was sent: {}", first.facts);
    running.kill();
    let log = std::fs::read_to_string(log_of(&stage.site)).unwrap();
    assert!(log.contains("no disks") && log.contains("it is not what reports are"), "{log}");
    assert!(!log.contains("hunter2"));
    stage.hub.desk.look(|asked| assert!(asked.reports.iter().all(|one| one.kind != "bad" && one.kind != "failing")));
}
