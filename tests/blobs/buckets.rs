//! Blobs in an S3 store.

use counterparts::S3Server;
use stories::{Scene, on_both_engines, on_sqlite};

use crate::help::{ended_with, into_bucket, log_of, noise, refused, soon, until_archived, until_away};

on_both_engines!(logs_lie_in_the_bucket_and_are_read_from_there);
on_sqlite!(
    a_large_log_goes_in_parts,
    keys_come_from_the_environment_too,
    keys_that_are_changed_in_their_file_hold_at_once,
    a_store_that_refuses_the_hub_is_told_at_the_start_without_a_secret,
);

async fn logs_lie_in_the_bucket_and_are_read_from_there(scene: Scene) {
    let server = S3Server::start();
    let hub = into_bucket(&scene, &server, &server.url()).start().await;
    let node = hub.hand_node("north").await;
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), id).await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
    let hub = hub.kill().await.start().await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
    let metrics = hub.operations("/metrics").await.1;
    assert!(metrics.contains("sortie_blobs_up 1"), "{metrics}");
    assert!(metrics.contains("sortie_blob_calls_total{operation=\"get\",outcome=\"ok\"}"), "{metrics}");
}

async fn a_large_log_goes_in_parts(scene: Scene) {
    let server = S3Server::start();
    let hub = into_bucket(&scene, &server, &server.url()).start().await;
    let node = hub.hand_node("north").await;
    let log = noise(6_000_000);
    let id = ended_with(&hub, &node, "north", &log).await;
    until_archived(hub.plan(), id).await;
    assert!(log_of(&hub, id).await == log);
    assert!(hub.operations("/metrics").await.1.contains("operation=\"put_part\",outcome=\"ok\"} 2"));
}

async fn keys_come_from_the_environment_too(scene: Scene) {
    let server = S3Server::start();
    let (id, secret) = server.keys();
    let hub = soon(scene.hub())
        .setting("blobs.url", format!("s3://{}", server.bucket()))
        .setting("blobs.endpoint", server.url())
        .setting("blobs.region", "eu-central-1")
        .variable("AWS_ACCESS_KEY_ID", id)
        .variable("AWS_SECRET_ACCESS_KEY", secret)
        .start()
        .await;
    let node = hub.hand_node("north").await;
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), id).await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
}

async fn keys_that_are_changed_in_their_file_hold_at_once(scene: Scene) {
    let server = S3Server::start();
    let hub = into_bucket(&scene, &server, &server.url()).start().await;
    let node = hub.hand_node("north").await;
    server.change_keys(false);
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    until_away(&hub, true).await;
    server.change_keys(true);
    until_archived(hub.plan(), id).await;
    until_away(&hub, false).await;
}

async fn a_store_that_refuses_the_hub_is_told_at_the_start_without_a_secret(scene: Scene) {
    let server = S3Server::start();
    let plan = into_bucket(&scene, &server, &server.url());
    server.change_keys(false);
    let said = refused(&plan).await;
    assert!(said.contains("InvalidAccessKeyId") && said.contains("docs/blobs.md"), "{said}");
    server.change_keys(true);
    server.deny(true);
    assert!(refused(&plan).await.contains("AccessDenied"));
    server.deny(false);
    let said = refused(&plan.clone().setting("blobs.url", "s3://another/hub")).await;
    assert!(said.contains("NoSuchBucket"), "{said}");
    std::fs::write(server.keys_file(), "aws_access_key_id = x").expect("it is ours");
    let said = refused(&plan).await;
    assert!(said.contains("blobs.credentials_file") && said.contains("aws_secret_access_key"), "{said}");
    assert!(!said.contains(server.keys().1));
    server.change_keys(true);
    let hub = plan.start().await;
    assert!(!hub.log().contains(server.keys().1), "no secret is in the log");
}
