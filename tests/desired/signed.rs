//! Resources that a site takes only with operators' signatures.

use std::path::PathBuf;

use serde_json::json;
use sortie_rules::desired::{ConditionStatus, Standing};
use stories::{Ended, Home, RunningHub, Scene, Site, on_sqlite};

use crate::help::{condition, file, holds, keeping, layer, publish, stands};

on_sqlite!(
    a_privileged_resource_is_taken_when_an_operator_has_signed_it_and_as_it_was_signed,
    a_signature_is_for_the_node_and_the_operators_for_whom_it_was_made,
);

/// Somebody with an operator's key.
struct Person {
    home: Home,
    passphrase: PathBuf,
    /// The set of operators that they drew up alone.
    set: PathBuf,
}

impl Person {
    fn new(scene: &Scene, name: &str) -> Person {
        let home = Home::named(scene, name);
        let of = |what: &str| scene.folder().join(format!("{name}.{what}"));
        let (passphrase, public, set) = (of("passphrase"), of("pub"), of("operators.json"));
        std::fs::write(&passphrase, "a horse in the barn\n").unwrap();
        let person = Person { home, passphrase, set };
        std::fs::write(&public, person.says(&["keys", "new", "--name", name]).well().stdout).unwrap();
        let (set, public) = (person.set.display().to_string(), public.display().to_string());
        person.says(&["operators", "new", &set, "--member", &public]).well();
        person
    }

    fn says(&self, words: &[&str]) -> Ended {
        let mut command = self.home.command(words);
        Ended::of(command.env("SORTIE_OPERATOR_PASSPHRASE_FILE", &self.passphrase))
    }

    /// Signs a resource in the draft of a layer.
    fn signs(&self, hub: &RunningHub<'_>, layer: &str, resource: &str) -> Ended {
        let data = hub.data().display().to_string();
        self.says(&["state", "sign", layer, resource, "--yes", "--data", &data])
    }
}

/// A site that takes files only with the signature of this operator.
async fn guarded<'s>(hub: &RunningHub<'s>, name: &str, by: &Person) -> (Site<'s>, stories::RunningAgent) {
    let site = Site::new(hub.scene(), name);
    let invite = hub.invite(name).await;
    Ended::of(site.command("enroll").args(["--invite", &invite]).arg("--operators").arg(&by.set)).well();
    site.set_policy(&keeping(&site, "").replace("look_every_s", "privileged_kinds = [\"file\"]\nlook_every_s"));
    let agent = site.start();
    (site, agent)
}

fn publish_draft(hub: &RunningHub<'_>, layer: &str) {
    hub.sortie(&["state", "publish", layer, "-m", "signed", "--yes", "--watch"]).well();
}

async fn a_privileged_resource_is_taken_when_an_operator_has_signed_it_and_as_it_was_signed(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let ada = Person::new(&scene, "ada");
    let (site, agent) = guarded(&hub, "north", &ada).await;
    let rules = site.files().join("rules");
    publish(&people, "org", json!({"resources": {"file/rules": file(&rules, "drop all\n")}})).await;
    let desired = stands(&people, "north", Standing::Failing).await;
    assert_eq!(condition(&desired, "file/rules").1, "signature_needed");
    let said = ada.signs(&hub, "org", "file/rules").well().stderr;
    assert!(said.contains("drop all") && said.contains("every node that believes its operators"), "{said}");
    publish_draft(&hub, "org");
    stands(&people, "north", Standing::Converged).await;
    holds(&rules, "drop all\n").await;
    // Whoever runs the hub changes it under the same signature.
    let mut state = people.layer(&layer("org")).await.unwrap().state;
    state["resources"]["file/rules"]["spec"]["content"] = json!("let all in\n");
    publish(&people, "org", state).await;
    let desired = stands(&people, "north", Standing::Failing).await;
    let (status, reason, _) = condition(&desired, "file/rules");
    assert_eq!((status, reason.as_str()), (ConditionStatus::Refused, "signed_otherwise"));
    // The agent starts again, and what it had taken is not undone by what it refuses.
    agent.stop().await;
    let _agent = site.start();
    stands(&people, "north", Standing::Failing).await;
    holds(&rules, "drop all\n").await;
    ada.signs(&hub, "org", "file/rules").well();
    publish_draft(&hub, "org");
    holds(&rules, "let all in\n").await;
    stands(&people, "north", Standing::Converged).await;
    // What was signed before does not come back.
    hub.sortie(&["state", "rollback", "org", "--to", "2", "--yes", "--watch"]).well();
    let desired = stands(&people, "north", Standing::Failing).await;
    assert_eq!(condition(&desired, "file/rules").1, "signed_before");
    holds(&rules, "let all in\n").await;
}

async fn a_signature_is_for_the_node_and_the_operators_for_whom_it_was_made(scene: Scene) {
    let hub = scene.hub().start().await;
    let people = hub.people();
    let (ada, eve) = (Person::new(&scene, "ada"), Person::new(&scene, "eve"));
    let (north, _one) = guarded(&hub, "north", &ada).await;
    let (south, _two) = guarded(&hub, "south", &ada).await;
    let state = |site: &Site<'_>| json!({"resources": {"file/rules": file(&site.files().join("rules"), "x")}});
    hub.sortie(&["state", "sign", "node:north", "file/none"]).failed(2, &["no resource file/none"]);
    for (name, site) in [("node:north", &north), ("node:south", &south)] {
        publish(&people, name, state(site)).await;
    }
    eve.signs(&hub, "node:north", "file/rules").well();
    publish_draft(&hub, "node:north");
    let desired = stands(&people, "north", Standing::Failing).await;
    assert_eq!(condition(&desired, "file/rules").1, "signatures_too_few", "eve is a stranger here");
    let said = ada.signs(&hub, "node:south", "file/rules").well().stderr;
    assert!(said.contains("the node "), "{said}");
    publish_draft(&hub, "node:south");
    stands(&people, "south", Standing::Converged).await;
    // What was signed for one node is put before another.
    let signed = people.layer(&layer("node:south")).await.unwrap().state;
    let mut stolen = state(&north);
    stolen["resources"]["file/rules"]["spec"] = signed["resources"]["file/rules"]["spec"].clone();
    stolen["resources"]["file/rules"]["signed"] = signed["resources"]["file/rules"]["signed"].clone();
    publish(&people, "node:north", stolen).await;
    let desired = stands(&people, "north", Standing::Failing).await;
    assert_eq!(condition(&desired, "file/rules").1, "signed_for_another");
}
