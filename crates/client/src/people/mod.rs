//! What people and programs ask of the hub: `/api/v1/…`, with an API token.
//!
//! `hub` holds address, token and patience; the other files add the calls of their noun to it. Calls
//! that do the same however often they come are repeated until patience ends; creations carry an
//! `Idempotency-Key`, so that a repetition has the identity of the first try; all others are
//! repeated only where the first try surely changed nothing.

mod accounts;
mod alarms;
mod audit;
mod backups;
mod desired;
mod events;
mod history;
mod hub;
mod hub_keys;
mod invites;
mod jobs;
mod maintenance;
mod nodes;
mod notifications;
mod operations;
mod org_settings;
mod orgs;
mod reports;
mod secrets;
mod sign_in;
mod sites;
mod summary;
mod task_types;
mod tasks;
mod tokens;

pub use hub::{Hub, Token};
