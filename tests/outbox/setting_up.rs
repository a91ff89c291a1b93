//! `sortie events setup`.

use async_nats::jetstream;
use counterparts::Nats;
use stories::{Program, Scene, on_sqlite};

use crate::help::{connect, nats, setup};

on_sqlite!(
    it_makes_what_is_missing_and_changes_what_differs_and_nothing_else,
    a_dry_run_changes_nothing,
    what_others_have_set_stays,
    what_cannot_be_is_refused,
);

async fn it_makes_what_is_missing_and_changes_what_differs_and_nothing_else(scene: Scene) {
    let nats = Nats::on(scene.free_port());
    let words = ["--consumer", "billing=task.completed", "--consumer", "all", "--ack-wait", "10s"];
    let made = setup(&nats, &words).well().stdout;
    assert!(made.contains("stream SORTIE: created") && made.contains("subjects: sortie.events.>"), "{made}");
    assert!(made.contains("consumer billing: created"), "{made}");
    assert!(made.contains("filters: sortie.events.*.task.completed.*") && made.contains("ack_wait: 10 s"), "{made}");
    let again = setup(&nats, &words).well().stdout;
    assert_eq!(again.lines().filter(|line| line.ends_with(": as it should be")).count(), 3, "{again}");
    let changed = setup(&nats, &["--max-age", "7d", "--consumer", "billing=node", "--max-deliver", "5"]).well().stdout;
    for said in [
        "stream SORTIE: updated",
        "max_age: 30 days -> 7 days",
        "consumer billing: updated",
        "filters: sortie.events.*.task.completed.* -> sortie.events.*.node.>",
        "max_deliver: unlimited -> 5",
    ] {
        assert!(changed.contains(said), "`{said}` is not in {changed}");
    }
    assert!(!changed.contains("ack_wait"), "what is not said stays: {changed}");
    let stream = jetstream::new(connect(&nats).await).get_stream("SORTIE").await.expect("it is there");
    assert_eq!(stream.cached_info().config.max_age.as_secs(), 7 * 86_400);
    let billing = stream.consumer_info("billing").await.expect("it is there").config;
    assert_eq!((billing.max_deliver, billing.ack_wait.as_secs()), (5, 10));
    assert_eq!(billing.durable_name.as_deref(), Some("billing"));
}

async fn a_dry_run_changes_nothing(scene: Scene) {
    let nats = Nats::on(scene.free_port());
    let words = ["--consumer", "all", "--dry-run", "--json"];
    let told = setup(&nats, &words).well().json();
    assert_eq!((told["dry_run"].as_bool(), told["changes"][1]["change"].as_str()), (Some(true), Some("created")));
    let jetstream = jetstream::new(connect(&nats).await);
    assert!(jetstream.get_stream("SORTIE").await.is_err(), "there is no stream");
    setup(&nats, &[]).well();
    let said = setup(&nats, &["--max-age", "1h", "--consumer", "all", "--dry-run"]).well().stdout;
    assert!(
        said.contains("stream SORTIE: would be updated") && said.contains("consumer all: would be created"),
        "{said}"
    );
    let stream = jetstream.get_stream("SORTIE").await.expect("it is there");
    assert_eq!(stream.cached_info().config.max_age.as_secs(), 30 * 86_400);
    assert!(stream.consumer_info("all").await.is_err(), "there is no consumer");
}

async fn what_others_have_set_stays(scene: Scene) {
    let nats = Nats::on(scene.free_port());
    let jetstream = jetstream::new(connect(&nats).await);
    let theirs = jetstream::stream::Config {
        name: "SORTIE".to_owned(),
        subjects: vec!["orders.>".to_owned()],
        max_messages: 12_345,
        ..jetstream::stream::Config::default()
    };
    jetstream.create_stream(theirs).await.expect("NATS makes streams");
    setup(&nats, &[]).well();
    let config = jetstream.get_stream("SORTIE").await.expect("it is there").cached_info().config.clone();
    assert_eq!((config.subjects, config.max_messages), (vec!["orders.>".into(), "sortie.events.>".into()], 12_345));
}

async fn what_cannot_be_is_refused(scene: Scene) {
    let mut nats = nats(&scene);
    setup(&nats, &["--consumer", "a.b=task"]).failed(2, &["a.b"]);
    setup(&nats, &["--consumer", "all=other.>"]).failed(2, &["`other.>`", "task.completed"]);
    setup(&nats, &["--stream", "a b"]).failed(2, &["--stream"]);
    setup(&nats, &["--ack-wait", "10s"]).failed(2, &["--consumer"]);
    // The server of the stories is 2.9.
    setup(&nats, &["--stream", "NEW", "--prefix", "new", "--consumer", "some=task,node"])
        .failed(2, &["2.10", "make a consumer for each"]);
    let jetstream = jetstream::new(connect(&nats).await);
    assert!(jetstream.get_stream("NEW").await.is_err(), "nothing was done");
    setup(&nats, &["--stream", "OTHER"]).failed(1, &["`OTHER`", "overlap"]);
    nats.stop();
    setup(&nats, &[]).failed(1, &["cannot be reached", "--nats"]);
    Program::Sortie.run(["events", "setup"]).failed(2, &["--nats"]);
}
