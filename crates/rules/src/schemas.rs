//! How ids, times and words look in the OpenAPI documents.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Array, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::access::{Permission, Permissions, Role};
use crate::clocks::ClockState;
use crate::desired::{Layer, NodeStage, PublicationStatus, ResourceKey, Standing};
use crate::ids::{Id, Kind};
use crate::jobs::JobStatus;
use crate::liveness::Presence;
use crate::proofs::Proof;
use crate::tasks::{Class, Code, Status};
use crate::time::{Millis, Span};

fn object(of: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(of)
}
fn word(words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    object(Type::String).enum_values(Some(words)).into()
}

impl<K: Kind> PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        object(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).into()
    }
}
impl<K: Kind> ToSchema for Id<K> {
    fn name() -> Cow<'static, str> {
        let mut name = K::NOUN.to_owned();
        name[..1].make_ascii_uppercase();
        Cow::Owned(name + "Id")
    }
}

impl PartialSchema for Millis {
    fn schema() -> RefOr<Schema> {
        object(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .description(Some("Milliseconds since 1970-01-01T00:00:00Z."))
            .into()
    }
}
impl ToSchema for Millis {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Instant")
    }
}

impl PartialSchema for Span {
    fn schema() -> RefOr<Schema> {
        object(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0))
            .description(Some("A span of time in milliseconds."))
            .into()
    }
}
impl ToSchema for Span {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Span")
    }
}

impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        object(Type::String).description(Some("A stable word that says why.")).into()
    }
}
impl ToSchema for Code {}

impl PartialSchema for Status {
    fn schema() -> RefOr<Schema> {
        word(Status::ALL.map(Status::as_str))
    }
}
impl ToSchema for Status {}

impl PartialSchema for JobStatus {
    fn schema() -> RefOr<Schema> {
        word(JobStatus::ALL.map(JobStatus::as_str))
    }
}
impl ToSchema for JobStatus {}

impl PartialSchema for Presence {
    fn schema() -> RefOr<Schema> {
        word([Presence::New, Presence::Online, Presence::Stale, Presence::Down].map(Presence::as_str))
    }
}
impl ToSchema for Presence {}

impl PartialSchema for ClockState {
    fn schema() -> RefOr<Schema> {
        word([ClockState::Ok, ClockState::Skewed].map(ClockState::as_str))
    }
}
impl ToSchema for ClockState {}

impl PartialSchema for Proof {
    fn schema() -> RefOr<Schema> {
        word([Proof::Certificate, Proof::Assertion].map(Proof::as_str))
    }
}
impl ToSchema for Proof {}

impl PartialSchema for Role {
    fn schema() -> RefOr<Schema> {
        word(Role::ALL.map(Role::as_str))
    }
}
impl ToSchema for Role {}

impl PartialSchema for Permissions {
    fn schema() -> RefOr<Schema> {
        Array::new(word(Permission::ALL.map(Permission::as_str))).into()
    }
}
impl ToSchema for Permissions {}

impl PartialSchema for Class {
    fn schema() -> RefOr<Schema> {
        word([Class::Routine, Class::Privileged].map(Class::as_str))
    }
}
impl ToSchema for Class {}

impl PartialSchema for Layer {
    fn schema() -> RefOr<Schema> {
        word(Layer::ALL.map(Layer::as_str))
    }
}
impl ToSchema for Layer {}

impl PartialSchema for PublicationStatus {
    fn schema() -> RefOr<Schema> {
        word(PublicationStatus::ALL.map(PublicationStatus::as_str))
    }
}
impl ToSchema for PublicationStatus {}

impl PartialSchema for NodeStage {
    fn schema() -> RefOr<Schema> {
        word(NodeStage::ALL.map(NodeStage::as_str))
    }
}
impl ToSchema for NodeStage {}

impl PartialSchema for Standing {
    fn schema() -> RefOr<Schema> {
        word(Standing::ALL.map(Standing::as_str))
    }
}
impl ToSchema for Standing {}

impl PartialSchema for ResourceKey {
    fn schema() -> RefOr<Schema> {
        object(Type::String).description(Some("A resource, as `KIND/NAME`.")).into()
    }
}
impl ToSchema for ResourceKey {}
