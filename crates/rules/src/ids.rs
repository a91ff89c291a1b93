//! Identifiers, one Rust type per kind of thing, so that a node's id cannot be handed in where a
//! task's is meant.
//!
//! An id is a UUID version 7: it sorts by the time it was made, which is what keeps the tasks of a
//! node in order and the database's indexes growing at one end. The edges make them; this crate
//! only carries them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// What an id identifies. Implemented by the empty marker types below.
pub trait Kind {
    /// The word used when an id of this kind cannot be read, for example `task`.
    const NOUN: &'static str;
}

/// An identifier of one `K`.
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// Gives a UUID its kind. The caller vouches that it identifies a `K`.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    /// The bare UUID.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

/// The text was not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {} {noun} id; ids look like 01980c5e-7d1a-7c3e-9b7e-0123456789ab", article(.noun))]
pub struct NotAnId {
    noun: &'static str,
    text: String,
}

/// "a" or "an", as the noun is spoken.
fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        // Only the hyphenated form: one id has one spelling, in tables and in URLs.
        let parsed = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten();
        parsed.map(Self::from_uuid).ok_or_else(|| NotAnId { noun: K::NOUN, text: text.chars().take(64).collect() })
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.as_hyphenated().fmt(f)
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.uuid.serialize(serializer)
    }
}
impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Marker types for [`Id`].
pub mod kind {
    use super::Kind;

    /// A tenant.
    #[derive(Debug)]
    pub enum Org {}
    /// One enrolled agent, as the hub records it.
    #[derive(Debug)]
    pub enum Node {}
    /// One unit of work for one node.
    #[derive(Debug)]
    pub enum Task {}
    /// One request for many nodes.
    #[derive(Debug)]
    pub enum Job {}
    /// A one-time secret with which one agent enrols.
    #[derive(Debug)]
    pub enum Invite {}
    /// An API token of a person or service.
    #[derive(Debug)]
    pub enum Token {}
    /// Somebody who signs in with a password of this hub's.
    #[derive(Debug)]
    pub enum Account {}
    /// One sign-in to the console.
    #[derive(Debug)]
    pub enum Session {}
    /// A secret of a node without a certificate.
    #[derive(Debug)]
    pub enum TrustKey {}
    /// One start of an agent's process.
    #[derive(Debug)]
    pub enum Boot {}
    /// Bytes that the hub keeps beside its database.
    #[derive(Debug)]
    pub enum Blob {}
    /// One layer's desired state on its way to nodes.
    #[derive(Debug)]
    pub enum Publication {}
    /// One alarm, from its beginning to its end.
    #[derive(Debug)]
    pub enum Alarm {}
    /// One alarm's beginning or end, for one recipient on one channel.
    #[derive(Debug)]
    pub enum Notification {}
    /// What goes out at once to one recipient on one channel.
    #[derive(Debug)]
    pub enum Dispatch {}
    /// A time in which nobody is told what begins at some nodes.
    #[derive(Debug)]
    pub enum Maintenance {}
    /// Where an agent keeps events until the hub has them.
    #[derive(Debug)]
    pub enum Outbox {}

    impl Kind for Org {
        const NOUN: &'static str = "org";
    }
    impl Kind for Node {
        const NOUN: &'static str = "node";
    }
    impl Kind for Task {
        const NOUN: &'static str = "task";
    }
    impl Kind for Job {
        const NOUN: &'static str = "job";
    }
    impl Kind for Invite {
        const NOUN: &'static str = "invite";
    }
    impl Kind for Token {
        const NOUN: &'static str = "token";
    }
    impl Kind for Account {
        const NOUN: &'static str = "account";
    }
    impl Kind for Session {
        const NOUN: &'static str = "session";
    }
    impl Kind for TrustKey {
        const NOUN: &'static str = "key";
    }
    impl Kind for Boot {
        const NOUN: &'static str = "boot";
    }
    impl Kind for Blob {
        const NOUN: &'static str = "blob";
    }
    impl Kind for Alarm {
        const NOUN: &'static str = "alarm";
    }
    impl Kind for Notification {
        const NOUN: &'static str = "notification";
    }
    impl Kind for Dispatch {
        const NOUN: &'static str = "dispatch";
    }
    impl Kind for Maintenance {
        const NOUN: &'static str = "maintenance";
    }
    impl Kind for Outbox {
        const NOUN: &'static str = "outbox";
    }
    impl Kind for Publication {
        const NOUN: &'static str = "publication";
    }
}

/// Identifies a tenant.
pub type OrgId = Id<kind::Org>;
/// Identifies one enrolled agent.
pub type NodeId = Id<kind::Node>;
/// Identifies one unit of work.
pub type TaskId = Id<kind::Task>;
/// Identifies a request for many nodes.
pub type JobId = Id<kind::Job>;
/// Identifies an invite.
pub type InviteId = Id<kind::Invite>;
/// Identifies an API token.
pub type TokenId = Id<kind::Token>;
/// Identifies somebody who signs in with a password.
pub type AccountId = Id<kind::Account>;
/// Identifies a sign-in to the console.
pub type SessionId = Id<kind::Session>;
/// Identifies a secret of a node without a certificate.
pub type TrustKeyId = Id<kind::TrustKey>;
/// Identifies one start of an agent's process.
pub type BootId = Id<kind::Boot>;
/// Identifies bytes that the hub keeps beside its database.
pub type BlobId = Id<kind::Blob>;
/// Identifies a layer's desired state on its way to nodes.
pub type PublicationId = Id<kind::Publication>;
/// Identifies an alarm.
pub type AlarmId = Id<kind::Alarm>;
/// Identifies a notification.
pub type NotificationId = Id<kind::Notification>;
/// Identifies a dispatch.
pub type DispatchId = Id<kind::Dispatch>;
/// Identifies a maintenance.
pub type MaintenanceId = Id<kind::Maintenance>;
/// Identifies where an agent keeps events until the hub has them.
pub type OutboxId = Id<kind::Outbox>;

/// The org that a hub has from its first start.
pub const DEFAULT_ORG: OrgId = Id::from_uuid(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_as_it_was_written() {
        let id: TaskId = Id::from_uuid(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse::<TaskId>().unwrap(), id);
        assert_eq!(serde_json::from_str::<TaskId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn only_the_hyphenated_spelling_is_an_id() {
        assert!("00000000000000000000000000000007".parse::<TaskId>().is_err());
        let refusal = "nonsense".parse::<NodeId>().unwrap_err().to_string();
        assert!(refusal.contains("`nonsense` is not a node id"), "{refusal}");
    }
}
