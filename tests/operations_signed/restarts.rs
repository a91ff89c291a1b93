//! Services of the machine: restarted as the policy lists them, for operators alone.

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Ended, Scene, on_sqlite};

use crate::help::{Person, chain_file, code, order, own_name, program, site_of};

on_sqlite!(
    a_service_that_the_policy_lists_is_restarted_and_seen_to_be_active,
    a_service_that_does_not_come_up_fails_the_task,
);

async fn a_service_that_the_policy_lists_is_restarted_and_seen_to_be_active(scene: Scene) {
    let hub = scene.hub().start().await;
    let (ada, eve) = (Person::new(&scene, "ada"), Person::new(&scene, "eve"));
    let operators = chain_file(scene.folder(), "operators.json", &[&Person::set(1, &[&ada], &[&ada])]);
    let site = site_of(&hub, "north", &operators).await;
    let (restart, check) = (scene.folder().join("restart"), scene.folder().join("check"));
    program(
        &restart,
        &format!("echo \"$@\" >> {:?}; echo \"restarted $2\"; test \"$2\" != broken", site.files().join("ran")),
    );
    // It is active a little later than it was restarted.
    program(&check, &format!("echo look >> {0:?}; test \"$(wc -l < {0:?})\" -gt 1", site.files().join("looks")));
    site.set_policy(&format!(
        "allow = [\"service.restart\"]\n[service_restart]\nservices = [\"web\", \"broken\"]\n\
         restart = [{restart:?}, \"again\", \"{{service}}\"]\ncheck = [{check:?}, \"{{service}}\"]\nuser = {:?}\n",
        own_name()
    ));
    let _agent = site.start();
    let restarted = async |by: &Person, service: &str| {
        let id = order(&hub, by, "north", "service.restart", json!({ "service": service })).await;
        hub.ended(id).await
    };
    let task = restarted(&ada, "web").await;
    let result = task.result.unwrap_or_else(|| panic!("{:?}", task.summary));
    assert_eq!((&result["service"], &result["active"]), (&json!("web"), &json!(true)));
    assert!(site.lines("looks").len() > 1);
    let log = hub.sortie(&["task", "log", &task.summary.id.to_string(), "--follow"]).well().stdout;
    assert!(log.contains("restarted web"), "{log}");
    let broken = restarted(&ada, "broken").await;
    assert_eq!((broken.summary.status, code(&broken)), (Status::Failed, "exit_code"), "{:?}", broken.summary);
    let other = restarted(&ada, "sshd").await;
    assert_eq!((other.summary.status, code(&other)), (Status::Rejected, "forbidden_by_policy"), "{:?}", other.summary);
    let refused = Ended::of(site.command("refused").arg("--json")).well().stdout;
    assert!(refused.contains(&other.summary.id.to_string()) && refused.contains("forbidden_by_policy"), "{refused}");
    let stranger = restarted(&eve, "web").await;
    assert_eq!(
        (stranger.summary.status, code(&stranger)),
        (Status::Rejected, "signer_unknown"),
        "{:?}",
        stranger.summary
    );
    assert_eq!(site.lines("ran"), ["again web", "again broken"]);
}

async fn a_service_that_does_not_come_up_fails_the_task(scene: Scene) {
    let hub = scene.hub().start().await;
    let ada = Person::new(&scene, "ada");
    let operators = chain_file(scene.folder(), "operators.json", &[&Person::set(1, &[&ada], &[&ada])]);
    let site = site_of(&hub, "north", &operators).await;
    let (restart, check) = (scene.folder().join("restart"), scene.folder().join("check"));
    program(&restart, &format!("echo restarted >> {:?}", site.files().join("ran")));
    program(&check, "echo inactive >&2; exit 3");
    site.set_policy(&format!(
        "allow = [\"service.restart\"]\n[service_restart]\nservices = [\"web\"]\nrestart = [{restart:?}]\n\
         check = [{check:?}]\nuser = {:?}\nactive_within_s = 1\n",
        own_name()
    ));
    let _agent = site.start();
    let id = order(&hub, &ada, "north", "service.restart", json!({ "service": "web" })).await;
    let task = hub.ended(id).await;
    assert_eq!((task.summary.status, code(&task)), (Status::Failed, "service_not_active"), "{:?}", task.summary);
    let why = task.summary.message.as_deref().unwrap_or_default();
    assert!(why.contains("web was restarted, and is not active 1 s later"), "{why}");
    assert_eq!(site.lines("ran"), ["restarted"], "once");
}
