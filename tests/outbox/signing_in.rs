//! NATS lets in whom it knows, and is believed by its certificate.

use counterparts::{Nats, NatsPlan};
use stories::{Authority, Ended, HubPlan, NatsOperator, NatsUser, Program, Scene, now, on_sqlite, until};

use crate::help::{metric, one_more, times_said, until_said};

on_sqlite!(
    a_wrong_password_is_told_and_the_right_one_is_read_from_its_file,
    credentials_that_nobody_signed_are_told_and_good_ones_are_read_from_their_file,
    credentials_that_end_while_the_hub_runs_are_replaced_without_a_restart,
    what_credentials_do_not_allow_is_told,
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

/// What docs/events-nats.md says that the hub's user needs, and no more.
const ENOUGH: NatsUser<'_> = NatsUser { publish: &["sortie.events.>"], subscribe: &["_INBOX.>"], ends_at: None };

/// A server that lets in whom this operator's account has signed, with a stream for events.
fn server_of(scene: &Scene, operator: &NatsOperator) -> Nats {
    let plan = NatsPlan { port: scene.free_port(), operator: Some(operator.configuration()), ..NatsPlan::default() };
    let mut nats = Nats::planned(plan);
    nats.start();
    let administrator = credentials_file(scene, "administrator.creds", &operator.credentials(NatsUser::default()));
    Program::Sortie.run(["events", "setup", "--nats", &nats.url(), "--nats-credentials", &administrator]).well();
    nats
}

/// A file with credentials.
fn credentials_file(scene: &Scene, name: &str, text: &str) -> String {
    let file = scene.folder().join(name);
    std::fs::write(&file, text).expect("the story's folder can be written");
    file.display().to_string()
}

async fn credentials_that_nobody_signed_are_told_and_good_ones_are_read_from_their_file(scene: Scene) {
    let operator = NatsOperator::make();
    let nats = server_of(&scene, &operator);
    let url = nats.url();
    let strangers = NatsOperator::make().credentials(ENOUGH);
    let file = credentials_file(&scene, "hub.creds", &strangers);
    let words = ["events", "setup", "--nats", &url, "--nats-credentials", &file];
    Program::Sortie.run(words).failed(1, &["does not let us in", "--nats-credentials"]);
    let hub = scene.hub().setting("nats.url", &url).setting("nats.credentials_file", &file).start().await;
    until_said(&hub, "does not let the hub in").await;
    until_said(&hub, "look at credentials_file").await;
    // The file is read again with each try, so that nobody has to start the hub anew.
    credentials_file(&scene, "hub.creds", &operator.credentials(ENOUGH));
    nothing_waits(&hub).await;
    let secret = strangers.lines().find(|line| line.starts_with("SU")).expect("it holds a key");
    assert_eq!(times_said(&hub, secret), 0, "a key is no matter for a log");
    assert_eq!(times_said(&hub, "eyJ"), 0, "nor is a JWT");
    let cut_short = credentials_file(&scene, "cut-short.creds", "-----BEGIN NATS USER JWT-----\neyJ0\n");
    let other = scene.hub_named("other").setting("nats.url", &url).setting("nats.credentials_file", &cut_short);
    let other = other.start().await;
    until_said(&other, "cut-short.creds holds no credentials").await;
    assert_eq!(times_said(&other, "eyJ0"), 0, "not even a part of it");
}

async fn credentials_that_end_while_the_hub_runs_are_replaced_without_a_restart(scene: Scene) {
    let operator = NatsOperator::make();
    let nats = server_of(&scene, &operator);
    let soon = NatsUser { ends_at: Some(now().0 / 1000 + 4), ..ENOUGH };
    let file = credentials_file(&scene, "hub.creds", &operator.credentials(soon));
    let hub = scene.hub().setting("nats.url", nats.url()).setting("nats.credentials_file", &file).start().await;
    nothing_waits(&hub).await;
    until("NATS lets it in no more", async || {
        one_more(&hub).await;
        (times_said(&hub, "does not let the hub in") > 0).then_some(())
    })
    .await;
    credentials_file(&scene, "hub.creds", &operator.credentials(ENOUGH));
    nothing_waits(&hub).await;
}

async fn what_credentials_do_not_allow_is_told(scene: Scene) {
    let operator = NatsOperator::make();
    let nats = server_of(&scene, &operator);
    let elsewhere = NatsUser { publish: &["other.events.>"], ..ENOUGH };
    let file = credentials_file(&scene, "hub.creds", &operator.credentials(elsewhere));
    let hub = scene.hub().setting("nats.url", nats.url()).setting("nats.credentials_file", &file).start().await;
    until_said(&hub, "may this user publish to sortie.events.").await;
    assert!(metric(&hub, "sortie_outbox_lag_events").await > Some(0.0), "what has not left waits");
}

async fn only_the_given_authority_is_believed(scene: Scene) {
    let authority = Authority::make();
    let tls = Some(authority.vouch_for("127.0.0.1"));
    let mut nats = Nats::planned(NatsPlan { port: scene.free_port(), tls, ..NatsPlan::default() });
    nats.start();
    let file = scene.folder().join("ca.pem");
    let (url, ca) = (nats.url(), file.display().to_string());
    std::fs::write(&file, Authority::make().pem()).expect("the story's folder can be written");
    let words = ["events", "setup", "--nats", &url, "--nats-ca", &ca];
    Program::Sortie.run(words).failed(1, &["cannot be reached", "--nats-ca"]);
    std::fs::write(&file, authority.pem()).expect("the story's folder can be written");
    Program::Sortie.run(words).well();
    let stranger = scene.hub_named("stranger").setting("nats.url", &url).start().await;
    until_said(&stranger, "Events do not leave").await;
    let hub = scene.hub().setting("nats.url", &url).setting("nats.ca_file", &ca).start().await;
    nothing_waits(&hub).await;
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
