//! An export proves itself: whatever is done to it is named, and whatever comes later is added to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use sortie_rules::time::{Millis, Span};
use stories::{As, Ended, Program, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{audit, export, sortie, token, verify};

on_both_engines!(an_export_holds_and_goes_on_where_it_ends);
on_sqlite!(
    an_export_that_is_refused_leaves_no_file_behind,
    nothing_is_added_to_an_export_that_was_changed,
    what_is_printed_of_the_log_is_for_people,
    whatever_is_done_to_an_export_is_named_with_its_line,
    an_export_is_held_against_what_was_kept_elsewhere,
    the_hub_s_signature_is_checked_without_the_hub,
    a_page_of_python_made_from_the_documentation_proves_an_export,
    the_log_is_searched_by_who_what_and_when,
    a_chain_that_was_changed_in_the_database_is_noticed,
);

/// Does so many things that are written down.
async fn act(hub: &RunningHub<'_>, times: usize) {
    for _ in 0..times {
        token(hub, "one-of-many", "viewer").await;
    }
}

fn lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("an export can be read");
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// A copy of an export with other lines.
fn copy(hub: &RunningHub<'_>, name: &str, lines: &[String]) -> PathBuf {
    let file = hub.scene().folder().join(name);
    std::fs::write(&file, lines.concat()).expect("the folder can be written");
    file
}

/// Number and hash of the link in a line.
fn place(line: &str) -> String {
    let link: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
    format!("{}:{}", link["number"], link["hash"].as_str().expect("a hash"))
}

async fn an_export_that_is_refused_leaves_no_file_behind(scene: Scene) {
    let hub = scene.hub().start().await;
    let (_, viewer) = token(&hub, "just-looking", "viewer").await;
    let As::Token(viewer) = viewer else { panic!("it is a token") };
    let file = scene.folder().join("log");
    let mut command = Program::Sortie.command();
    command.args(["audit", "export", "--out"]).arg(&file).env("SORTIE_HUB", hub.url());
    Ended::of(command.env("SORTIE_TOKEN", viewer).env("SORTIE_CA", hub.ca_file())).failed(3, &["forbidden (403)"]);
    assert!(!file.exists());
}

async fn nothing_is_added_to_an_export_that_was_changed(scene: Scene) {
    let hub = scene.hub().start().await;
    act(&hub, 6).await;
    let mut changed = lines(&export(&hub, "log"));
    changed[4] = changed[4].replace("one-of-many", "one-of-none");
    let file = copy(&hub, "changed", &changed);
    let words = ["line 5", "nothing was added", "audit verify"];
    hub.sortie(&["audit", "export", "--out", file.to_str().unwrap()]).failed(7, &words);
    assert_eq!(lines(&file), changed, "it is as it was");
    // One that begins in the middle is checked from there.
    let tail = scene.folder().join("tail");
    let path = tail.to_str().unwrap();
    hub.sortie(&["audit", "export", "--out", path, "--after", "3"]).well();
    act(&hub, 1).await;
    hub.sortie(&["audit", "export", "--out", path]).well();
    assert_eq!(lines(&tail).len(), 7, "four links, a place, one more link, and where the chain stands now");
}

async fn what_is_printed_of_the_log_is_for_people(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.invite("north").await;
    let listed = hub.sortie(&["audit", "list", "--action", "invite"]).well().stdout;
    assert!(listed.contains("expires_at 20") && listed.contains(" UTC"), "an instant is one: {listed}");
    let keys = hub.sortie(&["audit", "keys"]).well().json();
    let names: Vec<&String> = keys.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["keys", "version"], "who signed, and nothing that is empty here");
}

async fn an_export_holds_and_goes_on_where_it_ends(scene: Scene) {
    let hub = scene.hub().start().await;
    act(&hub, 5).await;
    let file = export(&hub, "log");
    let proved = verify(&file, &[]).well().stdout;
    assert!(proved.contains("6 links, from 1 to 6"), "{proved}");
    let before = lines(&file);
    assert_eq!(before.len(), 7, "each link, and where the chain stands");
    // More comes, and the file was cut in the middle of a line meanwhile.
    act(&hub, 3).await;
    std::fs::write(&file, before[..4].concat() + &before[4][..40]).unwrap();
    verify(&file, &[]).failed(7, &["line 5", "no line of an audit export"]);
    export(&hub, "log");
    let after = lines(&file);
    assert_eq!((&after[..6], after.len()), (&before[..6], 10), "what was there is as it was");
    verify(&file, &[]).well();
    export(&hub, "log");
    assert_eq!(lines(&file).len(), 11, "nothing new but where the chain stands now");
    let head = hub.sortie(&["audit", "head"]).well().stdout;
    let json = sortie(&["--json", "audit", "verify", file.to_str().unwrap(), "--head", head.trim()]).well().json();
    assert_eq!((&json["holds"], &json["links"], &json["heads"]), (&json!(true), &json!(9), &json!(2)));
    // To standard output, from a place on.
    let rest = hub.sortie(&["audit", "export", "--after", "7"]).well().stdout;
    assert_eq!(rest.split_inclusive('\n').collect::<Vec<_>>()[..2], after[7..9]);
    let other = hub.scene().folder().join("notes");
    std::fs::write(&other, "notes\n").unwrap();
    hub.sortie(&["audit", "export", "--out", other.to_str().unwrap()]).failed(2, &["no export of an audit log"]);
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "notes\n");
}

async fn whatever_is_done_to_an_export_is_named_with_its_line(scene: Scene) {
    let hub = scene.hub().start().await;
    act(&hub, 8).await;
    let whole = lines(&export(&hub, "log"));
    let named = |name: &str, change: &dyn Fn(&mut Vec<String>), words: &[&str]| {
        let mut changed = whole.clone();
        change(&mut changed);
        verify(&copy(&hub, name, &changed), &[]).failed(7, words);
    };
    named(
        "changed",
        &|lines| lines[3] = lines[3].replace("viewer", "admin"),
        &["line 4, link 4", "was changed", "the 3 links before it hold"],
    );
    named("hash", &|lines| lines[3] = lines[3].replacen("\"hash\":\"", "\"hash\":\"0", 1), &["line 4"]);
    named("removed", &|lines| drop(lines.remove(4)), &["line 5, link 6", "link 5 is missing"]);
    named("two", &|lines| drop(lines.drain(4..6)), &["line 5, link 7", "links 5 to 6 are missing"]);
    named("swapped", &|lines| lines.swap(2, 3), &["line 3, link 4", "out of order", "link 3 belongs here", "line 4"]);
    named("twice", &|lines| lines.insert(2, lines[1].clone()), &["line 3, link 2", "out of order"]);
    named("begun", &|lines| drop(lines.drain(..2)), &["line 1, link 3", "beginning was cut off"]);
    named("ended", &|lines| lines.truncate(6), &["line 6", "the end was cut off", "after link 6"]);
    named("headless", &|lines| drop(lines.drain(6..9)), &["line 7", "links 7 to 9 are missing"]);
    named("empty", &Vec::clear, &["the end was cut off"]);
    named("nothing", &|lines| *lines = vec!["nothing of ours\n".to_owned()], &["line 1", "no line of an audit export"]);
    // One bit, anywhere in any link.
    let text = whole[..9].concat().into_bytes();
    for nth in 0..24 {
        let at = (nth * 7919 + 13) % text.len();
        let mut flipped = text.clone();
        flipped[at] ^= 1 << (nth % 8);
        flipped.extend_from_slice(whole[9].as_bytes());
        let file = hub.scene().folder().join("flipped");
        std::fs::write(&file, &flipped).unwrap();
        let line = text[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        verify(&file, &[]).failed(7, &[&format!("line {line}")]);
    }
    sortie(&["audit", "verify", "/nowhere/log"]).failed(2, &["cannot be read"]);
}

async fn an_export_is_held_against_what_was_kept_elsewhere(scene: Scene) {
    let hub = scene.hub().start().await;
    act(&hub, 3).await;
    let earlier = export(&hub, "earlier");
    let kept = hub.sortie(&["audit", "head"]).well().stdout.trim().to_owned();
    act(&hub, 3).await;
    let later = export(&hub, "later");
    let earlier_text = earlier.to_str().unwrap();
    verify(&later, &["--head", &kept, "--earlier", earlier_text]).well();
    // The end was taken away, and a head of that time put there: only who knows more notices.
    verify(&earlier, &[]).well();
    let newest = hub.sortie(&["audit", "head"]).well().stdout.trim().to_owned();
    verify(&earlier, &["--head", &newest]).failed(7, &["the end was cut off", "link 7 is known"]);
    verify(&earlier, &["--earlier", later.to_str().unwrap()]).failed(7, &["the end was cut off"]);
    // Another chain of the same length holds by itself.
    let other = scene.hub_named("another").start().await;
    act(&other, 6).await;
    let other = export(&other, "other");
    verify(&other, &[]).well();
    verify(&other, &["--head", &kept]).failed(7, &["made anew", "link 4"]);
    verify(&other, &["--earlier", earlier_text]).failed(7, &["made anew"]);
    // A part is held against what goes before it.
    let all = lines(&later);
    let rest = copy(&hub, "rest", &all[4..]);
    verify(&rest, &[]).failed(7, &["the beginning was cut off"]);
    verify(&rest, &["--earlier", earlier_text]).well();
    verify(&rest, &["--after", &place(&all[3])]).well();
    verify(&rest, &["--after", "4"]).well();
    let wrong = place(&all[2]).replacen("3:", "4:", 1);
    verify(&rest, &["--after", &wrong]).failed(7, &["line 1, link 5", "exchanged"]);
    for bad in ["4:12", "four", ":", "-1"] {
        assert_eq!(verify(&rest, &[&format!("--after={bad}")]).code, Some(2), "{bad}");
    }
}

async fn the_hub_s_signature_is_checked_without_the_hub(scene: Scene) {
    let hub = scene.hub().start().await;
    act(&hub, 3).await;
    let file = export(&hub, "log");
    let keys = scene.folder().join("hub-keys.json");
    std::fs::write(&keys, hub.sortie(&["audit", "keys"]).well().stdout).unwrap();
    let keys = ["--keys", keys.to_str().unwrap()];
    hub.stop().await;
    let proved = verify(&file, &keys).well();
    assert!(!proved.stderr.contains("not checked"), "{proved:?}");
    assert!(verify(&file, &[]).well().stderr.contains("not checked"));
    // Somebody else's hub signs heads as well, and its chain holds by itself.
    let other = scene.hub_named("another").start().await;
    act(&other, 3).await;
    let forged = export(&other, "forged");
    verify(&forged, &[]).well();
    verify(&forged, &keys).failed(7, &["line 5", "the hub has not signed this head", "no key that is trusted"]);
    // A head that was put where the chain was cut.
    let (whole, mut cut) = (lines(&file), lines(&file)[..3].to_vec());
    let head: serde_json::Value = serde_json::from_str(&whole[4]).unwrap();
    let third: serde_json::Value = serde_json::from_str(&whole[2]).unwrap();
    let mut made = head["head"].clone();
    (made["number"], made["hash"]) = (json!(3), third["hash"].clone());
    cut.push(sortie_rules::audit::canonical(&json!({ "head": made, "signed": head["signed"] })) + "\n");
    let cut = copy(&other, "cut", &cut);
    verify(&cut, &[]).well();
    verify(&cut, &keys).failed(7, &["line 4", "what it signed is another head"]);
    let none = scene.folder().join("no-keys");
    std::fs::write(&none, "{}").unwrap();
    assert_eq!(verify(&file, &["--keys", none.to_str().unwrap()]).code, Some(2));
}

async fn a_page_of_python_made_from_the_documentation_proves_an_export(scene: Scene) {
    let hub = scene.hub().start().await;
    act(&hub, 3).await;
    hub.sortie(&["site", "put", "norden", "--name", "Größe \"ü\" \\ 北 😀"]).well();
    let file = export(&hub, "log");
    let page = include_str!("../../docs/audit.md");
    let program = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a program");
    let run = |file: &Path| Ended::of(Command::new("python3").args(["-c", program]).arg(file));
    let told = run(&file).well().stdout;
    assert!(told.contains("5 links hold"), "{told}");
    let mut changed = lines(&file);
    changed[2] = changed[2].replace("viewer", "admin");
    let told = run(&copy(&hub, "changed", &changed));
    assert!(told.code != Some(0) && told.stderr.contains("line 3"), "{told:?}");
    changed.remove(2);
    assert!(run(&copy(&hub, "removed", &changed)).stderr.contains("line 3"));
}

async fn the_log_is_searched_by_who_what_and_when(scene: Scene) {
    let hub = scene.hub().start().await;
    for name in ["one", "two", "three"] {
        token(&hub, name, "viewer").await;
    }
    hub.sortie(&["site", "put", "norden"]).well();
    let numbers = async |query: &str| -> Vec<u64> {
        audit(&hub, query).await.iter().map(|link| link["number"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers("").await, [5, 4, 3, 2, 1]);
    assert_eq!(numbers("action=token").await, [4, 3, 2, 1]);
    assert_eq!(numbers("action=token.create&actor=hub").await, [1]);
    assert_eq!(numbers("action=tok").await, [0; 0]);
    assert_eq!(numbers("object=two").await, [3]);
    assert_eq!(numbers("object=norden&outcome=done").await, [5]);
    assert_eq!(numbers("outcome=refused").await, [0; 0]);
    assert_eq!(numbers("after=3").await, [2, 1]);
    let at = |link: &serde_json::Value| Millis(link["entry"]["at"].as_i64().unwrap());
    let third = at(&audit(&hub, "object=two").await[0]);
    assert!(numbers(&format!("since={}", third.0)).await.contains(&3));
    assert!(!numbers(&format!("until={}", third.0)).await.contains(&3));
    assert_eq!(numbers(&format!("since={}", (third + Span::hours(1)).0)).await, [0; 0]);
    let page = hub.request(http::Method::GET, "/api/v1/audit?limit=2").send().await.json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (2, &json!("4")));
    let listed = hub.sortie(&["audit", "list", "--action", "token", "--limit", "2"]).well();
    assert!(listed.stdout.contains("three") && !listed.stdout.contains("one"), "{listed:?}");
    let all = hub.sortie_json(&["audit", "list", "--all", "--actor", "admin"]);
    assert_eq!(all["items"].as_array().unwrap().len(), 4);
    for bad in ["colour=red", "after=x", "limit=0", "limit=1001", "outcome=maybe"] {
        let answer = hub.request(http::Method::GET, &format!("/api/v1/audit?{bad}")).send().await;
        assert_eq!(answer.status, 400, "{bad}");
    }
    let answer = hub.request(http::Method::GET, "/api/v1/audit/export?after=99").send().await;
    assert_eq!(answer.status, 400, "{answer:?}");
}

async fn a_chain_that_was_changed_in_the_database_is_noticed(scene: Scene) {
    let hub = scene.hub().start().await;
    act(&hub, 4).await;
    let before = export(&hub, "before");
    let plan = hub.stop().await.0;
    plan.sql("drop trigger audit_is_not_changed");
    plan.sql("update audit set lines = replace(lines, 'viewer', 'admin') where first = 3");
    let hub = plan.start().await;
    act(&hub, 1).await;
    let after = scene.folder().join("after");
    let exported = hub.sortie(&["audit", "export", "--out", after.to_str().unwrap()]);
    exported.failed(7, &["does not hold", "link 2 is the last that does"]);
    verify(&after, &[]).failed(7, &["link 3", "was changed"]);
    verify(&before, &[]).well();
    // What follows the file that was kept still follows it.
    export(&hub, "before");
    verify(&before, &[]).well();
    // Another hub's chain does not follow it, and is not added.
    let other = scene.hub_named("another").start().await;
    act(&other, 9).await;
    let size = std::fs::metadata(&before).unwrap().len();
    let added = other.sortie(&["audit", "export", "--out", before.to_str().unwrap()]);
    added.failed(7, &["does not follow the file"]);
    assert_eq!(std::fs::metadata(&before).unwrap().len(), size);
}
