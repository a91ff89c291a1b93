//! `sortie settings`: listed, read, chosen and reset, as someone at a terminal would.

use serde_json::json;
use stories::{Scene, on_sqlite};

use crate::help::value;

on_sqlite!(
    settings_are_listed_with_what_holds_and_who_chose_it,
    a_setting_is_printed_alone_chosen_and_reset,
    what_is_typed_wrongly_is_told,
);

async fn settings_are_listed_with_what_holds_and_who_chose_it(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.sortie(&["settings", "set", "sessions.idle_seconds", "900"]).well();
    let listed = hub.sortie(&["settings", "list"]).well().stdout;
    let line = |key: &str| listed.lines().find(|line| line.starts_with(key)).expect("it is listed").to_owned();
    for word in ["900", "1800", "from 5 to 86400", "admin"] {
        assert!(line("sessions.idle_seconds").contains(word), "{listed}");
    }
    assert!(line("tokens.scopes_needed").contains("never"), "{listed}");
    let items = &hub.sortie_json(&["settings", "list"])["items"];
    assert_eq!(items.as_array().map(Vec::len), Some(listed.lines().count() - 1));
    let idle = items.as_array().and_then(|items| items.iter().find(|item| item["key"] == "sessions.idle_seconds"));
    let idle = idle.expect("it is listed");
    assert_eq!((&idle["value"], &idle["type"], &idle["changed_by"]), (&json!(900), &json!("number"), &json!("admin")));
}

async fn a_setting_is_printed_alone_chosen_and_reset(scene: Scene) {
    const KEY: &str = "terminal.session_max_ttl_seconds";
    let hub = scene.hub().start().await;
    let got = hub.sortie(&["settings", "get", KEY]).well();
    assert_eq!(got.stdout, "14400\n");
    assert!(got.stderr.contains("terminal at a node") && got.stderr.contains("from 60 to 86400"), "{got:?}");
    let set = hub.sortie(&["settings", "set", KEY, "1h30m"]).well();
    assert!(set.stdout.is_empty() && set.stderr.contains("is 5400; it was 14400"), "{set:?}");
    let again = hub.sortie(&["settings", "set", KEY, "5400"]).well();
    assert!(again.stderr.contains("as it was"), "{again:?}");
    let reset = hub.sortie(&["settings", "reset", KEY]).well();
    assert!(reset.stderr.contains("default again: 14400"), "{reset:?}");
    assert_eq!(hub.sortie_json(&["settings", "set", "tokens.scopes_needed", "true"])["value"], json!(true));
    assert_eq!(hub.sortie_json(&["settings", "set", "tokens.role_max", "operator"])["value"], json!("operator"));
    assert_eq!(hub.sortie(&["settings", "get", "tokens.role_max"]).well().stdout, "operator\n");
    let events = hub.sortie(&["event", "list", "--kind", "setting"]).well().stdout;
    assert_eq!(events.matches("setting.changed").count(), 4, "{events}");
}

async fn what_is_typed_wrongly_is_told(scene: Scene) {
    let hub = scene.hub().start().await;
    let set = |words: [&str; 2]| hub.sortie(&["settings", "set", words[0], words[1]]);
    for typed in ["3", "2d", "1500ms", "soon", ""] {
        set(["sessions.idle_seconds", typed]).failed(3, &["from 5 to 86400", "/value", "field_invalid (422)"]);
    }
    set(["tokens.scopes_needed", "yes"]).failed(3, &["true or false"]);
    set(["tokens.role_max", "root"]).failed(3, &["viewer, service, operator, admin"]);
    for verb in ["get", "reset"] {
        let mistyped = hub.sortie(&["settings", verb, "sessions.idle_secs"]);
        mistyped
            .failed(3, &["did you mean `sessions.idle_seconds`", "sortie settings list", "unknown_org_setting (404)"]);
    }
    hub.sortie(&["settings", "get", "../whoami"]).failed(3, &["there is no org setting"]);
    hub.sortie(&["settings", "set", "sessions.idle_seconds"]).failed(2, &["VALUE"]);
    assert_eq!(value(&hub, "sessions.idle_seconds").await, json!(1800));
}
