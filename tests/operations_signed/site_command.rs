//! `sortie agent operators`: whom a site believes, as whoever looks after it sees and says it.

use http::Method;
use serde_json::{Value, json};
use stories::{Ended, RunningHub, Scene, Site, on_sqlite, until};

use crate::help::{Person, chain_file, publish, site_of};

on_sqlite!(
    a_site_shows_its_operators_and_takes_others_that_follow_or_are_to_replace_them,
    a_mistyped_fingerprint_leaves_nothing_behind,
    a_site_that_waits_for_a_mistyped_fingerprint_says_how_to_mend_it,
    a_fingerprint_is_enough_and_another_hub_cannot_give_other_operators,
);

fn operators(site: &Site<'_>, words: &[&str]) -> Ended {
    Ended::of(site.command("operators").args(words))
}

fn shown(site: &Site<'_>) -> Value {
    serde_json::from_str(&operators(site, &["--json"]).well().stdout).expect("JSON")
}

async fn a_site_shows_its_operators_and_takes_others_that_follow_or_are_to_replace_them(scene: Scene) {
    let hub = scene.hub().start().await;
    let (ada, bob) = (Person::new(&scene, "ada"), Person::new(&scene, "bob"));
    let first = Person::set(1, &[&ada], &[&ada]);
    let second = Person::set(2, &[&ada, &bob], &[&ada]);
    let other = Person::set(1, &[&bob], &[&bob]);
    let file = |name, links: &[_]| chain_file(scene.folder(), name, links).display().to_string();
    let one = file("one.json", &[&first]);
    let (both, foreign) = (file("both.json", &[&first, &second]), file("foreign.json", &[&other]));
    let site = site_of(&hub, "north", one.as_ref()).await;
    let text = operators(&site, &[]).well().stdout;
    assert!(text.contains("version 1; 1 of 1 must sign a change") && text.contains("  ada"), "{text}");
    operators(&site, &[&both]).well();
    assert_eq!((&shown(&site)["version"], &shown(&site)["members"][1]["name"]), (&json!(2), &json!("bob")));
    for (given, said) in [(&one, "version 2 of the operators stands here already"), (&foreign, "do not follow")] {
        let refused = operators(&site, &[given]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(said) && refused.stderr.contains("--replace"), "{refused:?}");
    }
    operators(&site, &[&foreign, "--replace"]).well();
    assert_eq!(shown(&site)["members"][0]["name"], json!("bob"));
    let nothing = operators(&site, &["no-such-file"]);
    assert_eq!(nothing.code, Some(2));
    let bare = Site::new(&scene, "south");
    assert!(operators(&bare, &[]).well().stdout.contains("knows no operators"));
    let data = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(site.data().join("operators.json")).expect("it is there").permissions(),
    );
    assert_eq!(data & 0o777, 0o600);
}

/// The fingerprint of the newest set that was published.
async fn fingerprint(hub: &RunningHub<'_>) -> String {
    let listed = hub.request(Method::GET, "/api/v1/operators").send().await.json();
    let newest = listed["items"].as_array().and_then(|items| items.last()).expect("one was published");
    newest["fingerprint"].as_str().expect("text").to_owned()
}

async fn a_fingerprint_is_enough_and_another_hub_cannot_give_other_operators(scene: Scene) {
    let hub = scene.hub().start().await;
    let (ada, bob) = (Person::new(&scene, "ada"), Person::new(&scene, "bob"));
    publish(&hub, &Person::set(1, &[&ada], &[&ada])).await;
    let named = fingerprint(&hub).await;
    publish(&hub, &Person::set(2, &[&bob], &[&ada])).await;
    let site = Site::new(&scene, "north");
    let invite = hub.invite("north").await;
    let enrolled = Ended::of(site.command("enroll").args(["--invite", &invite, "--operators", &named])).well();
    assert!(enrolled.stdout.contains("version 2") && enrolled.stdout.contains("bob"), "{enrolled:?}");
    let south = Site::new(&scene, "south");
    let invite = hub.invite("south").await;
    let unknown = "ab".repeat(32);
    let enrolled = Ended::of(south.command("enroll").args(["--invite", &invite, "--operators", &unknown])).well();
    assert!(enrolled.stderr.contains("has the fingerprint"), "{enrolled:?}");
    assert!(operators(&south, &[]).well().stdout.contains("waits for the operators"));
    let newest = fingerprint(&hub).await;
    assert_eq!(operators(&south, &[&newest]).code, Some(2), "it waits for another");
    operators(&south, &[&newest, "--replace"]).well();
    assert_eq!(shown(&south)["version"], json!(2));
}

async fn a_mistyped_fingerprint_leaves_nothing_behind(scene: Scene) {
    let hub = scene.hub().start().await;
    let ada = Person::new(&scene, "ada");
    let first = Person::set(1, &[&ada], &[&ada]);
    let file = chain_file(scene.folder(), "operators.json", &[&first]).display().to_string();
    publish(&hub, &first).await;
    let site = hub.site("north").await;
    let slip = format!("0000{}", &fingerprint(&hub).await[4..]);
    let refused = operators(&site, &[&slip]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("none of the hub's sets of operators has the fingerprint"), "{refused:?}");
    assert!(operators(&site, &[]).well().stdout.contains("knows no operators"));
    operators(&site, &[&file]).well();
    let other = operators(&site, &[&slip, "--replace"]);
    assert_eq!(other.code, Some(2), "{other:?}");
    assert_eq!(shown(&site)["version"], json!(1), "nor does it take anything away");
}

async fn a_site_that_waits_for_a_mistyped_fingerprint_says_how_to_mend_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let ada = Person::new(&scene, "ada");
    let first = Person::set(1, &[&ada], &[&ada]);
    let file = chain_file(scene.folder(), "operators.json", &[&first]).display().to_string();
    publish(&hub, &first).await;
    let site = Site::new(&scene, "north");
    let (invite, slip) = (hub.invite("north").await, "0".repeat(64));
    Ended::of(site.command("enroll").args(["--invite", &invite, "--operators", &slip])).well();
    let refused = operators(&site, &[&file]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("was told to wait") && refused.stderr.contains("--replace"), "{refused:?}");
    let _agent = site.start();
    hub.ended(hub.submit("north", "sys.info", json!({})).await).await;
    until("it is told", async || site.log().contains("if it was mistyped").then_some(())).await;
    assert!(!site.log().contains("are refused"), "the hub is not to blame: {}", site.log());
    operators(&site, &[&file, "--replace"]).well();
    assert_eq!(shown(&site)["version"], json!(1));
}
