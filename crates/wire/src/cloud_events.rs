//! Events as they travel over NATS: CloudEvents 1.0 in their JSON form, whose data is an
//! [`Event`](crate::events::Event) as the hub's API has it.

use serde::{Deserialize, Serialize};
use sortie_rules::ids::OrgId;

use crate::events::Event;

/// What the `Content-Type` of such a message is.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// The version of the specification.
pub const SPEC_VERSION: &str = "1.0";
/// What stands before an event's kind in `type`.
pub const TYPE_PREFIX: &str = "sortie.";

/// One event in its wrapping. Whoever writes it may add attributes that are not here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudEvent {
    /// [`SPEC_VERSION`].
    pub specversion: String,
    /// The same each time the event is sent, and no other event has it.
    pub id: String,
    /// The hub where it happened: `urn:sortie:hub:` and the hub's id.
    pub source: String,
    /// [`TYPE_PREFIX`] and the kind.
    #[serde(rename = "type")]
    pub type_name: String,
    /// When it happened, for those who do not look at the data (RFC 3339).
    pub time: String,
    /// What it is about: `task/ID`, `node/ID`, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `application/json`.
    pub datacontenttype: String,
    /// Whose it is; an attribute of ours.
    pub org: OrgId,
    /// What happened.
    pub data: Event,
}

/// A message that is no event of a hub, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an event of a hub: {0}")]
pub struct NotAnEvent(String);

impl CloudEvent {
    /// Reads the body of a message.
    pub fn read(body: &[u8]) -> Result<CloudEvent, NotAnEvent> {
        let event: CloudEvent = serde_json::from_slice(body).map_err(|error| NotAnEvent(error.to_string()))?;
        if event.specversion != SPEC_VERSION {
            return Err(NotAnEvent(format!("specversion is {:.20?} and not \"1.0\"", event.specversion)));
        }
        let kind = event.type_name.strip_prefix(TYPE_PREFIX);
        if kind != Some(event.data.kind.as_str()) {
            return Err(NotAnEvent(format!("type is {:.80?} and the data's kind {:.80?}", event.type_name, kind)));
        }
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"specversion":"1.0","id":"f00-7-1000","source":"urn:sortie:hub:f00",
        "type":"sortie.task.completed","time":"1970-01-01T00:00:01Z","datacontenttype":"application/json",
        "subject":"task/01980c5e-7d1a-7c3e-9b7e-0123456789ab","org":"00000000-0000-7000-8000-000000000001",
        "more":1,"data":{"number":7,"at":1000,"kind":"task.completed","actor":"box-17",
        "task":"01980c5e-7d1a-7c3e-9b7e-0123456789ab","data":{"run":1}}}"#;

    #[test]
    fn an_event_is_read_whatever_stands_beside_it() {
        let event = CloudEvent::read(GOOD.as_bytes()).unwrap();
        assert_eq!((event.data.number, event.data.kind.as_str()), (7, "task.completed"));
        let again = serde_json::to_vec(&event).unwrap();
        assert_eq!(CloudEvent::read(&again).unwrap(), event);
    }

    #[test]
    fn what_is_no_event_says_why() {
        let why = |from: &str, to: &str| CloudEvent::read(GOOD.replace(from, to).as_bytes()).unwrap_err().to_string();
        assert!(why("\"1.0\"", "\"0.3\"").contains("specversion is \"0.3\""));
        assert!(why("sortie.task.completed", "sortie.task.failed").contains("type is \"sortie.task.failed\""));
        assert!(why("\"number\":7,", "").contains("missing field `number`"));
        assert!(CloudEvent::read(b"").is_err() && CloudEvent::read(b"\xff").is_err());
    }
}
