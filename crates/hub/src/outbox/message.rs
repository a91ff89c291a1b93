//! An event as a message for NATS.

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use sortie_rules::outbox::{event_id, subject};
use sortie_store::events::EventRow;
use sortie_wire::cloud_events::{CloudEvent, MEDIA_TYPE, SPEC_VERSION, TYPE_PREFIX};

use super::settings::NatsSettings;
use crate::app::App;
use crate::events::show;
use crate::fault::Fault;
use crate::moments::rfc3339;

/// An event, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) subject: String,
    id: String,
    body: Bytes,
}

impl Message {
    /// An event as NATS gets it.
    pub(super) async fn of(app: &App, settings: &NatsSettings, row: EventRow) -> Result<Message, Fault> {
        let hub = app.keys.hub_id();
        let id = event_id(hub, row.number, row.at);
        let about = row.task.map(|task| format!("task/{task}")).or(row.node.map(|node| format!("node/{node}")));
        let org = row.org;
        let subject = subject(&settings.subject_prefix, org, &row.kind, row.node);
        let event = CloudEvent {
            specversion: SPEC_VERSION.to_owned(),
            id: id.clone(),
            source: format!("urn:sortie:hub:{hub}"),
            type_name: format!("{TYPE_PREFIX}{}", row.kind),
            time: rfc3339(row.at),
            subject: about,
            datacontenttype: "application/json".to_owned(),
            org,
            data: show(app, row).await?,
        };
        let body = serde_json::to_vec(&event).map_err(|error| Fault::Broken(format!("an event as JSON: {error}")))?;
        Ok(Message { subject, id, body: body.into() })
    }

    /// The message itself. JetStream drops a second one of the same id, and one for another stream.
    pub(super) fn publish(&self, stream: &str) -> PublishMessage {
        PublishMessage::build()
            .payload(self.body.clone())
            .message_id(&self.id)
            .expected_stream(stream)
            .header("Content-Type", MEDIA_TYPE)
    }
}
