//! Desired state: what a node should be, in layers that people publish and that the node's agent reconciles.
//!
//! `key` names a resource; `layers` merges what the org, the site and the node say and tells which of them said
//! what; `resources` reads the outcome; `hidden` takes out what never leaves the hub, and `secrets` finds the
//! references to secrets; `pointers` names places in a state as people do; `signed` judges what operators have signed.
//! `difference` compares two states by meaning. `publication` is how a layer goes out to nodes, so many at a time;
//! `generations` says which generation an agent takes.
//!
//! At the agent: `order` says what comes before what, `specs` reads how files, folders and services should be, `data`
//! and `yaml` write what a file holds, `units` tells what the machine says of a service, `plan` what is to be done with
//! one resource, `conditions` what is told of it, and `account` how all of that is told in a limited number of bytes.
//! `standings` is what people make of that: how a node stands to what is meant for it by now.

mod account;
mod conditions;
mod data;
mod difference;
mod generations;
mod hidden;
mod key;
mod layers;
mod order;
mod plan;
mod pointers;
mod publication;
mod resources;
mod secrets;
mod signed;
mod specs;
mod standings;
mod units;
mod yaml;

pub use account::{cut_message, fit};
pub use conditions::{Condition, ConditionStatus, Meant, Standing, Told, changed, standing, stands};
pub use data::{Format, Unsayable, written};
pub use difference::{Change, FieldChange, ResourceChange, difference, layers_differ};
pub use generations::{Accepted, Offer, Refused, Verdict, judge};
pub use hidden::{touches_hidden, without_hidden};
pub use key::{BadKey, ResourceKey, check_kind};
pub use layers::{Layer, LayerName, merge, origins};
pub use order::{Disorder, in_order};
pub use plan::{Found, Step, plan};
pub use pointers::{place_in_words, steps_of};
pub use publication::{
    Counts, Hearing, Next, NodeStage, Publication, PublicationStatus, Refusal, are_away, has_converged, is_too_late,
    next, stop,
};
pub use resources::{BadState, Drift, Resource, Resources, read};
pub use secrets::{Reference, SEALED, SECRET, references, replace};
pub use signed::{ResourceDemand, SignedResource, Unsigned, judge_signed, signable};
pub use specs::{Bearing, Content, DIRECTORY, DirectorySpec, Ensure, FILE, FileSpec, SERVICE, ServiceSpec, clashes};
pub use standings::{BadStanding, NO_STANDING, Standings, standing_words, stands_now};
pub use units::{Unit, read_unit};
