//! The command line for recipients, rules and what became of notifications.

use counterparts::{SmtpPlan, SmtpSink};
use stories::{Scene, on_sqlite};

use crate::help::{mail_about, with_mail};

on_sqlite!(recipients_are_made_tested_and_removed, rules_are_made_and_switched_off,);

async fn recipients_are_made_tested_and_removed(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let hub = with_mail(scene.hub(), sink.port()).start().await;
    assert!(hub.sortie(&["recipient", "list"]).well().stderr.contains("nobody is told"));
    let file = scene.folder().join("on-call.toml");
    let path = file.display().to_string();
    std::fs::write(&file, "audience = \"operator\"\n").expect("the story's folder can be written");
    hub.sortie(&["recipient", "set", &path]).failed(2, &["names no recipient"]);
    let text = "name = \"on-call\"\naudience = \"operator\"\n";
    std::fs::write(&file, text).expect("the story's folder can be written");
    hub.sortie(&["recipient", "set", &path]).failed(3, &["nobody could reach it"]);
    std::fs::write(&file, text.to_owned() + "mail = \"nobody\"\n").expect("the story's folder can be written");
    hub.sortie(&["recipient", "set", &path]).failed(3, &["`mail` is no address"]);
    std::fs::write(&file, text.to_owned() + "mail = \"on-call@sortie.example\"\n").expect("it can be written");
    hub.sortie(&["recipient", "set", &path]).well();
    assert!(hub.sortie(&["recipient", "test", "on-call"]).well().stdout.contains("sent"));
    let mail = mail_about(&sink, "[test]").await;
    assert!(mail.text.contains("This is a test") && mail.to.contains("on-call@"), "{mail:?}");
    hub.sortie(&["recipient", "test", "on-call", "--channel", "webhook"]).failed(3, &["no such way"]);
    let shown = hub.sortie(&["recipient", "show", "on-call"]).well().stdout;
    assert!(shown.contains("on-call@sortie.example") && shown.contains("operator"), "{shown}");
    assert!(hub.sortie(&["recipient", "list"]).well().stdout.contains("on-call"));
    hub.sortie(&["recipient", "remove", "on-call"]).well();
    hub.sortie(&["recipient", "show", "on-call"]).failed(3, &["unknown_recipient"]);
}

async fn rules_are_made_and_switched_off(scene: Scene) {
    let hub = scene.hub().start().await;
    let rules = hub.sortie(&["notification", "rules"]).well().stdout;
    assert!(rules.contains("operators") && rules.contains("customers") && rules.contains("the hub"), "{rules}");
    let file = scene.folder().join("disks.json");
    std::fs::write(&file, r#"{"name": "disks", "rules": ["disk.*"], "cool_down_s": 60}"#).expect("it can be written");
    hub.sortie(&["notification", "rule", "set", &file.display().to_string()]).well();
    hub.sortie(&["notification", "rule", "off", "customers"]).well();
    hub.sortie(&["notification", "rule", "off", "nothing"]).failed(3, &["unknown_notification_rule"]);
    let rules = hub.sortie(&["notification", "rules"]).well().stdout;
    let line = |name: &str| rules.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned();
    assert!(line("disks").contains("your org") && line("customers").contains("off"), "{rules}");
    hub.sortie(&["notification", "rule", "remove", "customers"]).well();
    hub.sortie(&["notification", "rule", "remove", "customers"]).failed(3, &["unknown_notification_rule"]);
    assert_eq!(hub.events("notification_rule.changed").await.len(), 3);
    assert!(hub.sortie(&["notification", "list"]).well().stderr.contains("no such notification"));
}
