//! Resources whose work is done by programs of the site, and services, with the agent as a process.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sortie_agent::Given;
use sortie_rules::desired::{Resource, ResourceKey};
use sortie_rules::time::Span;
use sortie_wire::desired::DESIRED;
use sortie_wire::resources::sha256_of;
use sortie_wire::sealing::{Place, seal};

use super::desired::{Stage, until, until_file};
use super::hub::NOW;
use super::operators::{Person, chain};
use super::program::{Program, log_of};

/// Writes a program into the site's folder.
pub(crate) fn program(stage: &Stage, name: &str, text: &str) -> PathBuf {
    let path = stage.site.folder().join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn tool(spec: Value) -> Value {
    json!({ "spec": spec })
}

#[tokio::test]
async fn an_applier_s_exits_decide_and_one_that_hangs_holds_up_no_other() {
    let stage = Stage::quiet("").await;
    // What it is to do stands in the spec.
    let text = r#"input=$(cat); name=${SORTIE_RESOURCE#tool/}; marks=$(dirname "$0")/files
        case "$1 $name" in
        "check good") test -f "$marks/good" || { echo '{"message":"no mark","actual":{"mark":false}}'; exit 1; } ;;
        "apply good") echo "$input" > "$marks/good" ;;
        "check never") echo '{"message":"never","actual":{"is":"not"}}'; exit 1 ;;
        "check unsure") echo "cannot tell" >&2; exit 3 ;;
        "check broken") exit 1 ;;
        "apply broken") echo "no paper" >&2; exit 1 ;;
        "check hangs") sleep 1000 & wait ;;
        "check garbage") head -c 300000 /dev/zero; exit 1 ;;
        esac"#;
    let path = program(&stage, "tool", text);
    stage.set_policy(&format!(
        "[appliers.tool]\ncheck = [{path:?}, \"check\"]\napply = [{path:?}, \"apply\"]\nwall_s = 2"
    ));
    let names = ["good", "never", "unsure", "broken", "hangs", "garbage"];
    let resources: Value = names.iter().map(|name| (format!("tool/{name}"), tool(json!({ "n": 1 })))).collect();
    stage.hub.desk.publish(1, &resources);
    let running = Program::start(&stage.site);
    stage.until(1, "tool/good", "in_order").await;
    assert_eq!(stage.read("good").unwrap().trim(), r#"{"resource":"tool/good","spec":{"n":1}}"#);
    let never = stage.until(1, "tool/never", "failed still_otherwise").await;
    assert_eq!(never.actual.unwrap().get("is"), Some(&json!("not")));
    let unsure = stage.until(1, "tool/unsure", "failed check_failed").await;
    assert!(unsure.message.unwrap().contains("ended with 3; its last words: cannot tell"));
    let broken = stage.until(1, "tool/broken", "failed apply_failed").await;
    assert!(broken.message.unwrap().contains("no paper"));
    let hangs = stage.until(1, "tool/hangs", "failed check_failed").await;
    assert!(hangs.message.unwrap().contains("longer than the policy allows"));
    let garbage = stage.until(1, "tool/garbage", "failed check_failed").await;
    assert!(garbage.message.unwrap().contains("wrote more than it may"));
    running.kill();
}

#[tokio::test]
async fn an_applier_that_tells_a_secret_is_not_repeated() {
    let stage = Stage::quiet("").await;
    let text = r#"input=$(cat)
        if test "$1" = check; then
            echo "{\"message\":\"found the-hidden-word\",\"actual\":{\"all\":\"the-hidden-word\"}}"; exit 1
        fi
        echo "cannot set $input" >&2; exit 1"#;
    let path = program(&stage, "tool", text);
    stage.set_policy(&format!("[appliers.tool]\ncheck = [{path:?}, \"check\"]\napply = [{path:?}, \"apply\"]"));
    let key: ResourceKey = "tool/x".parse().unwrap();
    let (node, desk) = (stage.hub.desk.node, std::sync::Arc::clone(&stage.hub.desk));
    stage.hub.desk.publish_made(1, move |query| {
        let place = Place { node, generation: 1, resource: &key, pointer: "/env/0/word" };
        let sealed = seal(&query.seal_to.parse().unwrap(), &place, b"the-hidden-word").unwrap();
        let resources = json!({ "tool/x": { "spec": { "env": [{ "word": { "$sealed": sealed } }] } } });
        Some(desk.sign(DESIRED, desk.state(1, &resources).to_string().as_bytes()))
    });
    let running = Program::start(&stage.site);
    let failed = stage.until(1, "tool/x", "failed apply_failed").await;
    assert!(failed.message.unwrap().contains("[secret]"));
    running.kill();
    let told = stage.hub.desk.look(|asked| serde_json::to_string(&asked.observed).unwrap());
    let log = std::fs::read_to_string(log_of(&stage.site)).unwrap();
    assert!(!told.contains("hidden-word") && !log.contains("hidden-word"), "{told}\n{log}");
}

#[tokio::test]
async fn what_operators_must_have_signed_is_taken_if_they_have_and_never_an_older_one_again() {
    let (ada, eve) = (Person::new("ada"), Person::new("eve"));
    let operators = Given::Chain(chain(&[&Person::set(1, 1, &[&ada], &[&ada])]));
    let policy = "privileged_kinds = [\"file\"]\n\
                  [appliers.tool]\ncheck = [\"/bin/true\"]\napply = [\"/bin/true\"]\nclass = \"privileged\"";
    let mut stage = Stage::believing(Some(operators), policy).await;
    let signed = |content: &str, at: i64, by: &Person| {
        let mut file = stage.file("a", content);
        let resource: Resource = serde_json::from_value(file.clone()).unwrap();
        let statement = json!({
            "resource": "file/a", "sha256": sha256_of(&resource),
            "issued_at": NOW.0 + at, "expires_at": NOW.0 + at + Span::days(1).0,
        });
        file["signed"] = json!(Person::resource(statement.to_string().as_bytes(), &[by]));
        file
    };
    let mut changed = signed("one", 0, &ada);
    changed["spec"]["content"] = json!("another");
    let cases = [
        (stage.file("a", "unsigned"), "refused signature_needed", None),
        (signed("eve", 0, &eve), "refused signatures_too_few", None),
        (changed, "refused signed_otherwise", None),
        (signed("one", 0, &ada), "in_order", Some("one")),
        (signed("two", 2, &ada), "in_order", Some("two")),
        (signed("one", 0, &ada), "refused signed_before", Some("two")),
        (signed("late", -Span::days(3).0, &ada), "refused signed_before", Some("two")),
        (signed("three", 3, &ada), "in_order", Some("three")),
    ];
    stage.start();
    for (generation, (file, becomes, content)) in (1..).zip(cases) {
        stage.hub.desk.publish(generation, &json!({ "file/a": file, "tool/x": tool(json!({})) }));
        assert_eq!(stage.stands(generation, "file/a").await, becomes, "generation {generation}");
        assert_eq!(stage.stands(generation, "tool/x").await, "refused signature_needed");
        assert_eq!(stage.read("a").as_deref(), content);
    }
    stage.stop().await;
}

#[tokio::test]
async fn a_service_of_the_agent_s_runs_is_begun_again_and_ends_with_all_that_it_began() {
    let stage = Stage::quiet("").await;
    let text = r#"files=$(dirname "$0")/files; sleep 1000 & echo $! > "$files/child"; echo $$ > "$files/new"
        mv "$files/new" "$files/pid"; wait"#;
    let path = program(&stage, "service", text);
    stage.set_policy(&format!("[desired_services.programs.web]\nprogram = {path:?}"));
    let web = |state: &str| json!({ "service/web": { "spec": { "service": "web", "state": state } } });
    stage.hub.desk.publish(1, &web("running"));
    let running = Program::start(&stage.site);
    stage.until(1, "service/web", "in_order").await;
    let first = until_other(&stage, "").await;
    end(&first);
    let second = until_other(&stage, &first).await;
    let child = stage.read("child").unwrap();
    stage.hub.desk.publish(2, &web("stopped"));
    stage.until(2, "service/web", "in_order").await;
    until_gone(&second).await;
    until_gone(child.trim()).await;
    stage.hub.desk.publish(3, &web("running"));
    stage.until(3, "service/web", "in_order").await;
    let third = until_other(&stage, &second).await;
    running.kill();
    until_gone(&third).await;
}

#[tokio::test]
async fn a_service_of_the_machine_s_is_started_and_stopped_if_the_policy_lists_it() {
    let stage = Stage::quiet("").await;
    let text = r#"files=$(dirname "$0")/files
        case "$1" in
        show) test -f "$files/runs" && state=active || state=inactive
            printf 'LoadState=loaded\nActiveState=%s\nUnitFileState=disabled\n' $state ;;
        start) touch "$files/runs" ;;
        stop) rm -f "$files/runs" ;;
        *) exit 1 ;;
        esac"#;
    let systemctl = program(&stage, "systemctl", text);
    stage.set_policy(&format!("[desired_services]\nservices = [\"web\"]\nsystemctl = {systemctl:?}"));
    let services = |state: &str| {
        json!({
            "service/web": { "spec": { "service": "web", "state": state } },
            "service/ssh": { "spec": { "service": "ssh", "state": "stopped" } },
        })
    };
    stage.hub.desk.publish(1, &services("running"));
    let running = Program::start(&stage.site);
    stage.until(1, "service/web", "in_order").await;
    stage.until(1, "service/ssh", "refused forbidden_by_policy").await;
    assert!(stage.read("runs").is_some());
    stage.hub.desk.publish(2, &services("stopped"));
    stage.until(2, "service/web", "in_order").await;
    assert!(stage.read("runs").is_none());
    running.kill();
}

#[tokio::test]
async fn whenever_the_agent_is_killed_files_are_whole_and_come_in_order_after_the_next_start() {
    let stage = Stage::quiet("").await;
    let content = |round: u64| char::from(b'a' + u8::try_from(round % 26).unwrap()).to_string().repeat(200_000);
    for round in 1..=12 {
        let waits = stage.hub.desk.look(|asked| asked.waits.len());
        let running = Program::start(&stage.site);
        stage.hub.desk.until("a wait", |asked| (asked.waits.len() > waits).then_some(())).await;
        let questions = stage.hub.desk.look(|asked| asked.desired.len());
        stage.hub.desk.publish(round, &json!({ "file/large": stage.file("large", &content(round)) }));
        // Sometimes before it has the state, sometimes in the middle of a write, sometimes after it.
        let is_near = || match round % 3 {
            0 => stage.hub.desk.look(|asked| asked.desired.len() > questions),
            1 => {
                std::fs::read_dir(stage.path("")).unwrap().flatten().any(|one| one.file_name() != "large")
                    || stage.read("large").is_some_and(|text| text == content(round))
            }
            _ => stage.read("large").is_some_and(|text| text == content(round)),
        };
        until(is_near).await;
        running.kill();
        if let Some(found) = stage.read("large") {
            let is_whole = found.len() == 200_000 && found.bytes().all(|byte| Some(byte) == found.bytes().next());
            assert!(is_whole, "a part of a file was found in round {round}");
        }
    }
    let waits = stage.hub.desk.look(|asked| asked.waits.len());
    let running = Program::start(&stage.site);
    // The last round may have ended before the agent had its state.
    stage.hub.desk.until("a wait", |asked| (asked.waits.len() > waits).then_some(())).await;
    stage.hub.desk.say(|_| ());
    until_file(&stage, "large", &content(12)).await;
    let is_alone = || std::fs::read_dir(stage.path("")).unwrap().count() == 1;
    stage.until(12, "file/large", "in_order").await;
    running.kill();
    assert!(is_alone(), "what was left by those that were killed is taken away");
}

/// Waits until the service has written another number than this.
async fn until_other(stage: &Stage, than: &str) -> String {
    let pid = || stage.read("pid").map(|text| text.trim().to_owned()).unwrap_or_default();
    until(|| !["", than].contains(&pid().as_str())).await;
    pid()
}

fn end(pid: &str) {
    assert!(std::process::Command::new("/bin/kill").args(["-9", pid]).status().unwrap().success());
}

async fn until_gone(pid: &str) {
    until(|| {
        let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
    })
    .await;
}
