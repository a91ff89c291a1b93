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

#[tokio::test]
async fn of_each_backup_that_is_reported_an_event_is_told_once_also_over_a_restart() {
    let stage = Stage::quiet("").await;
    let backup = program(&stage, "backup", r#"cat "$(dirname "$0")/files/backup""#);
    let table = |events: bool| {
        format!("[reports.backup]\nkind = \"backup\"\nprogram = {backup:?}\nevery_s = 1\nevents = {events}\n")
    };
    let says = |minute: u32, more: &str| {
        let at = format!("2026-03-29T04:{minute:02}:00Z");
        let facts = format!(r#"[{{"subject": "home", "facts": {{"completed_at": "{at}"{more}}}}}]"#);
        std::fs::write(stage.path("backup.new"), facts).unwrap();
        std::fs::rename(stage.path("backup.new"), stage.path("backup")).unwrap();
    };
    // What the hub was told of by an answer that was lost comes again, under the same number.
    stage.hub.desk.set_away(true);
    says(1, "");
    stage.set_policy(&table(true));
    let running = Program::start(&stage.site);
    let first = told(&stage, 1).await;
    assert_eq!((first[0].0, first[0].1.as_str()), (1, "backup.completed 2026-03-29T04:01:00Z"));
    running.kill();
    says(2, r#", "failed_at": "2026-03-29T03:00:00Z", "error": "no disk""#);
    let running = Program::start(&stage.site);
    let all = told(&stage, 3).await;
    stage.hub.desk.set_away(false);
    let words: Vec<&str> = all.iter().map(|(_, word)| word.as_str()).collect();
    let expected = [
        "backup.completed 2026-03-29T04:01:00Z",
        "backup.failed 2026-03-29T03:00:00Z",
        "backup.completed 2026-03-29T04:02:00Z",
    ];
    assert_eq!(words, expected);
    // The hub has them: nothing more is told, whatever is reported again.
    let newest =
        || stage.hub.desk.look(|asked| asked.events.iter().flat_map(|sent| &sent.events).map(|one| one.number).max());
    says(3, "");
    let last = told(&stage, 4).await;
    assert_eq!(last[3].1, "backup.completed 2026-03-29T04:03:00Z");
    running.kill();
    // Whose policy keeps them back tells none, and reports as before.
    stage.set_policy(&table(false));
    says(4, "");
    let running = Program::start(&stage.site);
    stage
        .hub
        .desk
        .until("the report", |asked| asked.reports.iter().any(|one| one.facts.get().contains("04:04:00")).then_some(()))
        .await;
    running.kill();
    assert_eq!(newest(), Some(4), "what was sent without an answer may come again, and nothing else does");
}

/// Waits until the newest of so many events was told. All of them by number, each once, however often it came.
async fn told(stage: &Stage, count: u64) -> Vec<(u64, String)> {
    stage
        .hub
        .desk
        .until("events", |asked| {
            let mut all = std::collections::BTreeMap::new();
            for event in asked.events.iter().flat_map(|sent| &sent.events) {
                let at = event.data.get("completed_at").or(event.data.get("failed_at")).and_then(|at| at.as_str());
                let word = format!("{} {}", event.kind, at.unwrap_or_default());
                assert_eq!(all.entry(event.number).or_insert_with(|| word.clone()), &word, "a number is one event");
            }
            let outboxes: std::collections::BTreeSet<_> = asked.events.iter().map(|sent| sent.outbox).collect();
            assert!(outboxes.len() <= 1, "a restart begins no other outbox");
            (all.len() as u64 >= count).then(|| all.into_iter().collect())
        })
        .await
}
