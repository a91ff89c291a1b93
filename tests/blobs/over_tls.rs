//! An S3 store that speaks TLS with a certificate of an authority of one's own.

use counterparts::{S3Server, S3Tls};
use stories::{Authority, HubPlan, Scene, on_sqlite};

use crate::help::{ended_with, into_bucket, log_of, noise, ready, refused, until_archived, until_away};

on_sqlite!(
    a_store_is_believed_by_the_authority_that_is_named,
    a_store_whose_authority_is_not_named_is_refused_and_it_is_said_what_to_name,
    a_store_with_a_certificate_for_another_name_is_refused,
);

/// A server for which this authority vouches under this name.
fn server(authority: &Authority, name: &str) -> S3Server {
    let (certificate, key) = authority.vouch_for(name);
    S3Server::start_with(&S3Tls { certificate, key, authority: authority.pem().to_owned() })
}

/// The same hub, which believes this authority.
fn believing<'s>(plan: HubPlan<'s>, scene: &Scene, authority: &Authority) -> HubPlan<'s> {
    let file = scene.folder().join("blobs-ca.pem");
    std::fs::write(&file, authority.pem()).expect("the story's folder can be written");
    plan.setting("blobs.ca_file", file.display())
}

async fn a_store_is_believed_by_the_authority_that_is_named(scene: Scene) {
    let authority = Authority::make();
    let server = server(&authority, "127.0.0.1");
    assert!(server.url().starts_with("https://"));
    let plan = believing(into_bucket(&scene, &server, &server.url()), &scene, &authority);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    let small = ended_with(&hub, &node, "north", b"one\n").await;
    let large = noise(6_000_000);
    let in_parts = ended_with(&hub, &node, "north", &large).await;
    until_archived(hub.plan(), small).await;
    until_archived(hub.plan(), in_parts).await;
    let hub = hub.kill().await.start().await;
    assert_eq!(log_of(&hub, small).await, b"one\n");
    assert!(log_of(&hub, in_parts).await == large);
    assert_eq!(ready(&hub).await, (200, "ready\n".to_owned()));
}

async fn a_store_whose_authority_is_not_named_is_refused_and_it_is_said_what_to_name(scene: Scene) {
    let authority = Authority::make();
    let server = server(&authority, "127.0.0.1");
    let plan = into_bucket(&scene, &server, &server.url());
    let other = believing(plan.clone(), &scene, &Authority::make());
    for plan in [plan.clone(), other] {
        let said = refused(&plan).await;
        assert!(said.contains("its certificate is not believed") && said.contains("`blobs.ca_file`"), "{said}");
        assert!(!said.contains(server.keys().1), "no secret is told");
    }
    let empty = scene.folder().join("empty.pem");
    std::fs::write(&empty, "").expect("the story's folder can be written");
    let said = refused(&plan.clone().setting("blobs.ca_file", empty.display())).await;
    assert!(said.contains("blobs.ca_file") && said.contains("no certificate"), "{said}");
    let hub = believing(plan, &scene, &authority).start().await;
    until_away(&hub, false).await;
}

async fn a_store_with_a_certificate_for_another_name_is_refused(scene: Scene) {
    let authority = Authority::make();
    let server = server(&authority, "127.0.0.1");
    let by_name = server.url().replace("127.0.0.1", "localhost");
    let said = refused(&believing(into_bucket(&scene, &server, &by_name), &scene, &authority)).await;
    assert!(said.contains("for another name") && said.contains("`blobs.endpoint`"), "{said}");
}
