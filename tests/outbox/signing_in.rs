//! NATS lets in whom it knows, and is believed by its certificate.

use counterparts::{Nats, NatsPlan};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use stories::{Ended, HubPlan, Program, Scene, on_sqlite, until};

use crate::help::{metric, times_said, until_said};

on_sqlite!(
    a_wrong_password_is_told_and_the_right_one_is_read_from_its_file,
    only_the_given_authority_is_believed,
    settings_that_contradict_themselves_are_refused_at_the_start,
);

/// A password in a file.
fn password_file(scene: &Scene, password: &str) -> String {
    let file = scene.folder().join("nats.password");
    std::fs::write(&file, format!("{password}\n")).expect("the story's folder can be written");
    file.display().to_string()
}

async fn nothing_waits(hub: &stories::RunningHub<'_>) {
    until("nothing waits", async || {
        let lag = metric(hub, "sortie_outbox_lag_events").await;
        (lag == Some(0.0) && metric(hub, "sortie_outbox_relayed_total").await > Some(0.0)).then_some(())
    })
    .await;
}

async fn a_wrong_password_is_told_and_the_right_one_is_read_from_its_file(scene: Scene) {
    let user = Some(("sortie".to_owned(), "wild-geese".to_owned()));
    let mut nats = Nats::planned(NatsPlan { port: scene.free_port(), user, ..NatsPlan::default() });
    nats.start();
    let (url, file) = (nats.url(), password_file(&scene, "tame-ducks"));
    let words = ["events", "setup", "--nats", &url, "--nats-user", "sortie", "--nats-password-file", &file];
    Program::Sortie.run(words).failed(1, &["does not let us in", "--nats-password-file"]);
    password_file(&scene, "wild-geese");
    Program::Sortie.run(words).well();
    password_file(&scene, "tame-ducks");
    let plan = scene.hub().setting("nats.url", &url).setting("nats.user", "sortie");
    let hub = plan.setting("nats.password_file", &file).start().await;
    until_said(&hub, "does not let the hub in").await;
    assert_eq!(times_said(&hub, "tame-ducks"), 0, "a password is no matter for a log");
    // The file is read again with each try, so that nobody has to start the hub anew.
    password_file(&scene, "wild-geese");
    nothing_waits(&hub).await;
    assert_eq!(times_said(&hub, "Events do not leave"), 1);
}

async fn only_the_given_authority_is_believed(scene: Scene) {
    let (authority_pem, authority) = authority();
    let (other_pem, _) = self::authority();
    let key = KeyPair::generate().expect("a key can be made");
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address is a name");
    let leaf = leaf.signed_by(&key, &authority).expect("the authority signs").pem();
    let tls = Some((leaf, key.serialize_pem()));
    let mut nats = Nats::planned(NatsPlan { port: scene.free_port(), tls, ..NatsPlan::default() });
    nats.start();
    let file = scene.folder().join("ca.pem");
    let (url, ca) = (nats.url(), file.display().to_string());
    std::fs::write(&file, other_pem).expect("the story's folder can be written");
    let words = ["events", "setup", "--nats", &url, "--nats-ca", &ca];
    Program::Sortie.run(words).failed(1, &["cannot be reached", "--nats-ca"]);
    std::fs::write(&file, &authority_pem).expect("the story's folder can be written");
    Program::Sortie.run(words).well();
    let stranger = scene.hub_named("stranger").setting("nats.url", &url).start().await;
    until_said(&stranger, "Events do not leave").await;
    let hub = scene.hub().setting("nats.url", &url).setting("nats.ca_file", &ca).start().await;
    nothing_waits(&hub).await;
}

fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, uuid::Uuid::new_v4().to_string());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key can be made");
    let pem = params.self_signed(&key).expect("it signs itself").pem();
    (pem, Issuer::new(params, key))
}

async fn settings_that_contradict_themselves_are_refused_at_the_start(scene: Scene) {
    let refused = |plan: HubPlan<'_>, words: &[&str]| Ended::of(&mut plan.command()).failed(2, words);
    let tls = || scene.hub().setting("nats.url", "tls://nats.example:4222");
    refused(scene.hub().setting("nats.url", "https://nats.example"), &["nats.url", "nats://"]);
    refused(scene.hub().setting("nats.stream", "X"), &["url"]);
    refused(tls().setting("nats.user", "u"), &["nats.user", "password_file"]);
    refused(tls().setting("nats.subject_prefix", "a.>"), &["nats.subject_prefix"]);
    refused(tls().setting("nats.ca_file", "/nowhere/ca.pem"), &["nats.ca_file", "/nowhere/ca.pem"]);
    refused(tls().setting("nats.colour", "red"), &["NATS__COLOUR"]);
}
