//! Files and folders as a desired state asks for them.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::{Value, json};
use sortie_rules::desired::ResourceKey;
use sortie_wire::desired::DESIRED;
use sortie_wire::sealing::{Place, seal};

use super::desired::{Stage, until_file, word};

#[tokio::test]
async fn files_and_folders_are_made_in_order_changed_and_taken_away() {
    let mut stage = Stage::new("").await;
    let folder = json!({ "spec": { "path": stage.path("app"), "mode": "0750" } });
    let file = |content: &str| {
        let spec = json!({ "path": stage.path("app/a"), "content": content, "mode": "0640" });
        json!({ "spec": spec, "after": ["directory/app"] })
    };
    stage.hub.desk.publish(1, &json!({ "file/a": file("one"), "directory/app": folder }));
    assert_eq!(stage.stands(1, "file/a").await, "in_order");
    let mode = |name: &str| std::fs::metadata(stage.path(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((stage.read("app/a").as_deref(), mode("app/a"), mode("app")), (Some("one"), 0o640, 0o750));
    // What is left of an agent that was killed is found by the next who writes there.
    stage.hub.desk.publish(2, &json!({ "file/a": file("two"), "directory/app": folder }));
    assert_eq!(stage.stands(2, "file/a").await, "in_order");
    let gone = |name: &str| json!({ "spec": { "path": stage.path(name), "ensure": "absent" } });
    stage.hub.desk.publish(3, &json!({ "directory/app": gone("app") }));
    assert_eq!(stage.stands(3, "directory/app").await, "failed not_empty");
    let mut folder = gone("app");
    folder["after"] = json!(["file/a"]);
    stage.hub.desk.publish(4, &json!({ "directory/app": folder, "file/a": gone("app/a") }));
    assert_eq!(stage.stands(4, "directory/app").await, "in_order");
    assert!(!std::path::Path::new(&stage.path("app")).exists());
    stage.stop().await;
}

#[tokio::test]
async fn drift_is_corrected_or_told_with_what_there_is_also_after_a_restart() {
    let mut stage = Stage::new("").await;
    let mut told = stage.file("told", "as it should be");
    told["drift"] = json!("report");
    stage.hub.desk.publish(1, &json!({ "file/told": told, "file/mended": stage.file("mended", "right") }));
    assert_eq!(stage.stands(1, "file/told").await, "in_order");
    std::fs::write(stage.path("mended"), "wrong").unwrap();
    until_file(&stage, "mended", "right").await;
    stage.stop().await;
    std::fs::write(stage.path("told"), "by hand").unwrap();
    stage.start();
    let drifted = stage.until(1, "file/told", "drifted otherwise").await;
    assert_eq!(drifted.actual.unwrap().get("content"), Some(&json!("by hand")));
    assert_eq!(stage.read("told").as_deref(), Some("by hand"));
    // Another spec is work, and no drift.
    let mut told = stage.file("told", "otherwise now");
    told["drift"] = json!("report");
    stage.hub.desk.publish(2, &json!({ "file/told": told }));
    assert_eq!(stage.stands(2, "file/told").await, "in_order");
    stage.stop().await;
}

#[tokio::test]
async fn one_that_comes_after_another_waits_and_the_rest_goes_on() {
    let mut stage = Stage::new("").await;
    let mut second = stage.file("second", "x");
    second["after"] = json!(["file/first"]);
    let resources = json!({
        "file/first": stage.file("none/first", "x"), "file/second": second, "file/third": stage.file("third", "x"),
        "file/one": stage.file("same", "1"), "file/two": stage.file("same", "2"),
    });
    stage.hub.desk.publish(1, &resources);
    let words: Vec<String> = stage.settled(1).await.iter().map(word).collect();
    let expected = ["failed no_folder", "failed same_path", "waiting after_another", "in_order", "failed same_path"];
    assert_eq!(words, expected);
    assert!(stage.read("same").is_none());
    std::fs::create_dir(stage.path("none")).unwrap();
    stage.until(1, "file/second", "in_order").await;
    stage.stop().await;
}

#[tokio::test]
async fn what_the_site_does_not_let_is_refused_and_left_alone() {
    let mut stage = Stage::new("").await;
    let outside = stage.site.folder().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "untouched").unwrap();
    symlink(&outside, stage.path("way-out")).unwrap();
    symlink(outside.join("file"), stage.path("link")).unwrap();
    let at = |path: &str| json!({ "spec": { "path": path, "content": "from the hub" } });
    let resources = json!({
        "file/elsewhere": at("/etc/sortie-nobody-made-this"),
        "file/dots": at(&stage.path("../outside/file")),
        "file/link": stage.file("link", "x"),
        "file/way-out": stage.file("way-out/file", "x"),
        "kind-of-nobody/x": { "spec": {} },
        "tool/x": { "spec": {} },
    });
    stage.hub.desk.publish(1, &resources);
    let words: Vec<String> = stage.settled(1).await.iter().map(word).collect();
    let expected = [
        "failed bad_spec",
        "refused forbidden_by_policy",
        "failed in_the_way",
        "refused forbidden_by_policy",
        "refused kind_refused",
        "refused no_applier",
    ];
    assert_eq!(words, expected);
    assert_eq!(std::fs::read_to_string(outside.join("file")).unwrap(), "untouched");
    stage.stop().await;
}

#[tokio::test]
async fn no_resource_touches_the_agent_s_own_files_or_a_program_of_the_policy() {
    let mut stage = Stage::quiet("").await;
    let root = stage.site.folder().to_owned();
    let tool = root.join("files/tool");
    std::fs::write(&tool, "#!/bin/true\n").unwrap();
    let policy = |more: &str| {
        let text = format!(
            "{more}\n[desired]\nkinds = [\"file\", \"directory\"]\nlook_every_s = 1\n[desired_files]\nroots = \
             [{root:?}]\n\
             [appliers.tool]\ncheck = [{tool:?}]\napply = [{tool:?}]"
        );
        stage.site.set_policy(&text);
    };
    policy("");
    let before = std::fs::read_to_string(stage.site.data().join("policy.toml")).unwrap();
    stage.start();
    let at = |path: std::path::PathBuf| json!({ "spec": { "path": path, "content": "from the hub" } });
    let folder =
        |path: std::path::PathBuf, ensure: &str| json!({ "spec": { "path": path, "ensure": ensure, "mode": "0777" } });
    let resources = json!({
        "directory/data": folder(root.join("data"), "present"),
        "directory/holds-tool": folder(root.join("files"), "absent"),
        "file/ledger": at(root.join("data/ledger.db")),
        "file/policy": at(root.join("data/policy.toml")),
        "file/tool": at(tool.clone()),
    });
    stage.hub.desk.publish(1, &resources);
    let words: Vec<String> = stage.settled(1).await.iter().map(word).collect();
    assert_eq!(words, ["refused own_file"; 5]);
    assert_eq!(std::fs::read_to_string(&tool).unwrap(), "#!/bin/true\n");
    assert_eq!(std::fs::read_to_string(root.join("data/policy.toml")).unwrap(), before);
    // The site's word counts as soon as it is changed.
    std::fs::write(root.join("data/policy.toml"), before.replace("\"file\", ", "")).unwrap();
    stage.until(1, "file/tool", "refused kind_refused").await;
    stage.stop().await;
}

#[tokio::test]
async fn secrets_are_opened_at_the_node_alone_and_told_to_nobody() {
    let mut stage = Stage::new("").await;
    let key: ResourceKey = "file/wifi".parse().unwrap();
    let (node, path) = (stage.hub.desk.node, stage.path("wifi"));
    let desk = std::sync::Arc::clone(&stage.hub.desk);
    stage.hub.desk.publish_made(1, move |query| {
        let place = Place { node, generation: 1, resource: &key, pointer: "/content" };
        let sealed = seal(&query.seal_to.parse().unwrap(), &place, b"a-secret-of-the-hub").unwrap();
        let sealed_elsewhere = json!({ "path": format!("{path}-2"), "content": { "$sealed": sealed } });
        let spec = json!({ "path": path, "content": { "$sealed": sealed } });
        let resources =
            json!({ "file/wifi": { "spec": spec, "drift": "report" }, "file/other": { "spec": sealed_elsewhere } });
        Some(desk.sign(DESIRED, desk.state(1, &resources).to_string().as_bytes()))
    });
    assert_eq!(stage.stands(1, "file/wifi").await, "in_order");
    assert_eq!(stage.stands(1, "file/other").await, "failed secret_unreadable");
    assert_eq!(stage.read("wifi").as_deref(), Some("a-secret-of-the-hub"));
    let mode = std::fs::metadata(stage.path("wifi")).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600, "nobody else may read what is secret");
    std::fs::write(stage.path("wifi"), "a-secret-of-the-hub, and more").unwrap();
    let drifted = stage.until(1, "file/wifi", "drifted otherwise").await;
    assert_eq!(drifted.actual, None, "its content is told to nobody");
    stage.stop().await;
    let told = stage.hub.desk.look(|asked| serde_json::to_string(&asked.observed).unwrap());
    assert!(!told.contains("a-secret"), "{told}");
    for file in std::fs::read_dir(stage.site.data()).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        let has_it = bytes.windows(8).any(|part| part == b"a-secret");
        assert!(!has_it, "{}", file.path().display());
    }
    for file in ["desired.json", "sealing.key", "observed.json"] {
        let mode = std::fs::metadata(stage.site.data().join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{file}");
    }
}

#[tokio::test]
async fn what_is_not_named_is_left_as_it_is() {
    let mut stage = Stage::new("").await;
    std::fs::write(stage.path("mine"), "by hand").unwrap();
    std::fs::set_permissions(stage.path("mine"), std::fs::Permissions::from_mode(0o604)).unwrap();
    let only_mode = json!({ "spec": { "path": stage.path("mine"), "mode": "0600" } });
    stage.hub.desk.publish(1, &json!({ "file/mine": only_mode }));
    assert_eq!(stage.stands(1, "file/mine").await, "in_order");
    assert_eq!(stage.read("mine").as_deref(), Some("by hand"));
    // A file with another name somewhere is not changed in place.
    std::fs::hard_link(stage.path("mine"), stage.site.folder().join("other-name")).unwrap();
    let other_mode = json!({ "spec": { "path": stage.path("mine"), "mode": "0666" } });
    stage.hub.desk.publish(2, &json!({ "file/mine": other_mode }));
    assert_eq!(stage.stands(2, "file/mine").await, "failed in_the_way");
    // Nothing is left of it once it is not named any more, but the file.
    stage.hub.desk.publish(3, &Value::Object(serde_json::Map::new()));
    stage.hub.desk.observed("no conditions", 3, 0, |observed| observed.conditions.is_empty()).await;
    assert_eq!(stage.read("mine").as_deref(), Some("by hand"));
    stage.stop().await;
}
