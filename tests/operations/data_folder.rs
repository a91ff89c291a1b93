//! A hub's data folder: whose it is, what lies in it, and who may read it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;
use stories::{Ended, HubPlan, Program, Scene, on_sqlite, until};

on_sqlite!(
    a_folder_serves_one_hub_at_a_time,
    the_first_start_says_where_the_administrator_s_token_is,
    a_restart_keeps_who_the_hub_is_and_what_it_knows,
    nobody_but_the_owner_may_read_its_secrets,
    a_folder_that_cannot_be_made_is_named,
    a_port_that_is_taken_is_named,
);

async fn a_folder_serves_one_hub_at_a_time(scene: Scene) {
    let hub = scene.hub().start().await;
    let second = does_not_start(&scene.hub(), 2).await;
    assert!(second.contains("another hub runs on the data folder") && second.contains("stop it first"), "{second}");
    assert_eq!(hub.people().whoami().await.unwrap().name, "admin", "the first goes on unharmed");
    let _site = hub.site("north").await;
}

async fn the_first_start_says_where_the_administrator_s_token_is(scene: Scene) {
    let hub = scene.hub().start().await;
    let file = hub.data().join("admin.token");
    let told = format!("the administrator's token is in {}", file.display());
    until("the first start tells where the token is", async || hub.log().contains(&told).then_some(())).await;
    assert!(!hub.log().contains(hub.admin_token().trim()), "and not what it is");
    let (plan, _) = hub.stop().await;
    let hub = plan.start().await;
    let last = "Invite an agent";
    until("the second start has said all", async || (hub.log().matches(last).count() == 2).then_some(())).await;
    assert_eq!(hub.log().matches(&told).count(), 1, "the second start has no first token to tell of");
}

async fn a_restart_keeps_who_the_hub_is_and_what_it_knows(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    let (before, token) = (read(&hub.ca_file()), hub.admin_token());
    let (plan, status) = hub.stop().await;
    assert_eq!(status.code(), Some(0));
    let hub = plan.start().await;
    assert_eq!((read(&hub.ca_file()), hub.admin_token()), (before, token));
    let _agent = site.start();
    assert_eq!(hub.ended(id).await.summary.status.as_str(), "completed");
}

async fn nobody_but_the_owner_may_read_its_secrets(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    assert_eq!(mode(&hub.data()), 0o700);
    assert_eq!(mode(&hub.data().join("keys")), 0o700);
    assert_eq!(mode(&hub.data().join("admin.token")), 0o600);
    let keys: Vec<_> = std::fs::read_dir(hub.data().join("keys")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!keys.is_empty());
    for key in keys {
        assert_eq!(mode(&key), 0o600, "{}", key.display());
    }
    let identity = site.data().join("identity");
    for file in std::fs::read_dir(&identity).unwrap().map(|entry| entry.unwrap().path()) {
        assert_eq!(mode(&file) & 0o077, 0, "{}", file.display());
    }
}

async fn a_folder_that_cannot_be_made_is_named(scene: Scene) {
    // Below a file there is no folder, whoever asks.
    let file = scene.folder().join("a-file");
    std::fs::write(&file, "not a folder").unwrap();
    for (role, words) in [("hub", vec!["hub"]), ("agent", vec!["agent", "run"])] {
        let mut command = Program::Sortie.command();
        let ended = Ended::of(command.args(words).arg("--data").arg(file.join(role)));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("a-file") && ended.stderr.contains("Not a directory"), "{ended:?}");
    }
}

async fn a_port_that_is_taken_is_named(scene: Scene) {
    let plan = scene.hub();
    let address = plan.url().replace("https://", "");
    let taken = std::net::TcpListener::bind(&address).unwrap();
    let said = does_not_start(&plan, 1).await;
    assert!(said.contains(&address) && said.contains("is something else using it?"), "{said}");
    drop(taken);
    let hub = plan.start().await;
    assert!(hub.people().whoami().await.is_ok(), "the failed start did no harm");
}

/// A hub that ends by itself with this code, and what it said.
pub(crate) async fn does_not_start(plan: &HubPlan<'_>, code: i32) -> String {
    let mut process = plan.launch();
    let status = process.end().await;
    let said = process.log();
    assert_eq!(status.code(), Some(code), "{said}");
    said
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
