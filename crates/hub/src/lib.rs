//! The hub: holds what should happen at sites that nobody can dial into, hands it to their agents
//! when they ask, and keeps what they report. It opens no connection to any of them.
//!
//! One folder per noun, one file per verb. A route translates, a verb thinks, a rule decides: the
//! rules are in `sortie-rules`, what is kept is in `sortie-store`, what crosses the line is in
//! `sortie-wire`. Start reading at [`start`].

mod accounts;
mod alarms;
pub mod app;
mod audit;
mod backups;
mod blobs;
pub mod clock;
mod data_folder;
mod desired;
#[doc(hidden)]
pub mod doors;
mod edge;
mod enforcement;
mod enrollment;
mod events;
mod fault;
mod history;
mod http;
mod identity;
mod jobs;
mod keys;
mod liveness;
mod logs;
mod loops;
mod maintenance;
mod moments;
mod nodes;
mod notifications;
mod operations;
mod operators;
mod org_settings;
mod orgs;
mod outbox;
mod outgoing;
pub mod packs;
mod people;
mod post_steps;
mod proofs;
mod read_models;
mod refusals;
mod replicas;
mod reports;
mod secrets;
mod sessions;
pub mod settings;
mod start;
mod summary;
mod tasks;
mod trust_api;
pub mod upkeep;
mod waiting;

pub use http::documents::Documents;
pub use identity::{MasterKeyError, make_master_key};
pub use settings::Settings;
pub use start::{Hub, StartError, start};
