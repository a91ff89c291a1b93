//! A NATS server with a stream, hubs that send to it, and what arrived.

use std::collections::{BTreeMap, BTreeSet};

use async_nats::jetstream;
use async_nats::jetstream::message::StreamMessage;
use counterparts::Nats;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sortie_rules::outbox::subject;
use sortie_wire::cloud_events::{CloudEvent, MEDIA_TYPE};
use sortie_wire::events::{Event, EventQuery};
use sortie_wire::nodes::PutSite;
use stories::{Ended, HubPlan, Program, RunningHub, Scene, until};

/// What stands before the subjects.
pub(crate) const PREFIX: &str = "sortie.events";

/// A message of the stream.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) subject: String,
    pub(crate) msg_id: String,
    pub(crate) media_type: String,
    pub(crate) event: CloudEvent,
}

/// A NATS server that has a stream for events.
pub(crate) fn nats(scene: &Scene) -> Nats {
    let nats = Nats::on(scene.free_port());
    setup(&nats, &[]).well();
    nats
}

/// `sortie events setup` for this server.
pub(crate) fn setup(nats: &Nats, words: &[&str]) -> Ended {
    let url = nats.url();
    Program::Sortie.run([&["events", "setup", "--nats", &url], words].concat())
}

/// A hub that sends its events there.
pub(crate) fn hub<'s>(scene: &'s Scene, nats: &Nats) -> HubPlan<'s> {
    scene.hub().setting("nats.url", nats.url())
}

/// A connection of the story's own.
pub(crate) async fn connect(nats: &Nats) -> async_nats::Client {
    async_nats::connect(nats.url()).await.expect("NATS lets everybody in")
}

/// All that is in the stream, in its order.
pub(crate) async fn arrived(nats: &Nats) -> Vec<Arrived> {
    let jetstream = jetstream::new(connect(nats).await);
    let stream = jetstream.get_stream("SORTIE").await.expect("the stream is there");
    let places: Vec<u64> = (1..=stream.cached_info().state.last_sequence).collect();
    let mut all = Vec::with_capacity(places.len());
    for many in places.chunks(200) {
        let messages = join_all(many.iter().map(|place| stream.get_raw_message(*place))).await;
        all.extend(messages.into_iter().map(|message| read(&message.expect("nothing has left the stream"))));
    }
    all
}

fn read(message: &StreamMessage) -> Arrived {
    let header = |name: &str| message.headers.get(name).map_or_else(String::new, ToString::to_string);
    Arrived {
        subject: message.subject.to_string(),
        msg_id: header("Nats-Msg-Id"),
        media_type: header("Content-Type"),
        event: CloudEvent::read(&message.payload).expect("it is an event"),
    }
}

/// All events of the hub's own org.
pub(crate) async fn events(hub: &RunningHub<'_>) -> Vec<Event> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let query = EventQuery { after: Some(after), limit: Some(1000), ..EventQuery::default() };
        let page = hub.people().events(&query).await.expect("an administrator may read events").items;
        let Some(last) = page.last() else { return all };
        after = last.number;
        all.extend(page);
    }
}

/// Waits until so many events are in the stream, at least. Returns how many there are.
pub(crate) async fn until_arrived(nats: &Nats, count: u64) -> u64 {
    until(&format!("{count} events have arrived"), async || {
        let jetstream = jetstream::new(async_nats::connect(nats.url()).await.ok()?);
        let there = jetstream.get_stream("SORTIE").await.ok()?.cached_info().state.last_sequence;
        (there >= count).then_some(there)
    })
    .await
}

/// Waits until a consumer has handed out all there is, and each of it is done with.
pub(crate) async fn until_acknowledged(nats: &Nats, consumer: &str) {
    let jetstream = jetstream::new(connect(nats).await);
    let stream = jetstream.get_stream("SORTIE").await.expect("the stream is there");
    until("all is acknowledged", async || {
        let info = stream.consumer_info(consumer).await.ok()?;
        (info.num_ack_pending == 0 && info.num_pending == 0).then_some(())
    })
    .await;
}

/// One more event, about no task.
pub(crate) async fn one_more(hub: &RunningHub<'_>) {
    let site = PutSite { name: "one more".to_owned() };
    hub.people().put_site(&format!("site-{}", uuid::Uuid::new_v4()), &site).await.expect("an administrator may");
}

/// Waits until everything is in the stream that has happened at the hub before this was asked.
pub(crate) async fn all_arrived(hub: &RunningHub<'_>, nats: &Nats) -> Vec<Arrived> {
    hub.events("nothing").await;
    let newest = events(hub).await.last().map_or(0, |event| event.number);
    until(&format!("the event {newest} has arrived"), async || {
        let jetstream = jetstream::new(async_nats::connect(nats.url()).await.ok()?);
        let stream = jetstream.get_stream("SORTIE").await.ok()?;
        let last = stream.get_raw_message(stream.cached_info().state.last_sequence).await.ok()?;
        let event = CloudEvent::read(&last.payload).ok()?;
        (event.data.number >= newest).then_some(())
    })
    .await;
    arrived(nats).await
}

/// Each of these events is there once, under its subject, as the hub tells it, and the events of each subject
/// are in their order.
pub(crate) fn is_whole(arrived: &[Arrived], events: &[Event]) {
    let ids: BTreeSet<&str> = arrived.iter().map(|one| one.msg_id.as_str()).collect();
    assert_eq!(ids.len(), arrived.len(), "no id is there twice");
    let by_number: BTreeMap<u64, &Arrived> = arrived.iter().map(|one| (one.event.data.number, one)).collect();
    assert_eq!(by_number.len(), arrived.len(), "no event is there twice");
    for event in events {
        let one = by_number.get(&event.number).unwrap_or_else(|| panic!("it has not arrived: {event:?}"));
        assert_eq!(&one.event.data, event);
        assert_eq!(one.subject, subject(PREFIX, one.event.org, &event.kind, event.node));
        assert_eq!((one.msg_id.as_str(), one.media_type.as_str()), (one.event.id.as_str(), MEDIA_TYPE));
    }
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for one in arrived {
        let before = last.insert(&one.subject, one.event.data.number);
        assert!(before < Some(one.event.data.number), "{} is out of order", one.subject);
    }
}

/// Makes that many events at once: tasks for these nodes, in turn. False if the hub did not answer.
pub(crate) async fn burst(hub: &RunningHub<'_>, nodes: &[&str], count: usize) -> bool {
    let task = |nth: usize| json!({ "type": "sleep", "node": nodes[nth % nodes.len()], "payload": { "ms": 0 } });
    let tasks: Vec<Value> = (0..count).map(task).collect();
    let request = hub.request(http::Method::POST, "/api/v1/tasks/batch").json(&json!({ "tasks": tasks }));
    request.try_send().await.is_ok_and(|answer| answer.status < 300)
}

/// What a gauge or counter of the hub's stands at.
pub(crate) async fn metric(hub: &RunningHub<'_>, name: &str) -> Option<f64> {
    let text = hub.operations("/metrics").await.1;
    let line = text.lines().find(|line| line.split([' ', '{']).next() == Some(name))?.to_owned();
    line.rsplit(' ').next()?.parse().ok()
}

/// How often the hub has said this.
pub(crate) fn times_said(hub: &RunningHub<'_>, words: &str) -> usize {
    hub.log().matches(words).count()
}

/// Waits until the hub has said this.
pub(crate) async fn until_said(hub: &RunningHub<'_>, words: &str) {
    until(&format!("the hub says: {words}"), async || (times_said(hub, words) > 0).then_some(())).await;
}
