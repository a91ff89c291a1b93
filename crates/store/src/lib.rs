//! All persistence of the hub: SQLite and PostgreSQL behind one [`Store`].
//!
//! A verb of the hub hands [`Store::write`] or [`Store::read`] a closure and calls the table
//! functions below with the [`Tx`] it is given. What one closure writes stands together or not at
//! all, and a write that returned is on disk. SQL is written once, in the file of its table; what
//! the engines need differently has a name in `dialect`. Reading order: `store`, `tx`, `value` and
//! `row` are the engine's face; `sqlite` and `postgres` are the engines; `whole` is all of a database at once; the
//! rest are the tables.

mod dialect;
mod errors;
mod migrations;
mod postgres;
mod row;
mod set_form;
mod sqlite;
mod store;
mod tx;
mod value;

pub mod accounts;
pub mod alarm_rules;
pub mod alarms;
pub mod assertions;
pub mod audit;
pub mod backup_deadlines;
pub mod backups;
pub mod blobs;
pub mod denied_tokens;
pub mod desired;
pub mod dispatches;
pub mod enforcements;
pub mod events;
pub mod fields;
pub mod followers;
pub mod history;
pub mod hub_keys;
pub mod idempotency;
pub mod invites;
pub mod jobs;
pub mod leaders;
pub mod logs;
pub mod maintenance;
pub mod meta;
pub mod node_events;
pub mod node_keys;
pub mod nodes;
pub mod notification_rules;
pub mod notifications;
pub mod operations;
pub mod operator_sets;
pub mod org_settings;
pub mod orgs;
pub mod outbox;
pub mod post_steps;
pub mod recipients;
pub mod refusals;
pub mod reports;
pub mod secrets;
pub mod sessions;
pub mod sites;
pub mod tasks;
pub mod tokens;
pub mod told;
pub mod trust_keys;
pub mod whole;

pub use errors::{OpenError, StoreError};
pub use postgres::ServerLimits;
pub use row::{Columns, Row};
pub use store::{Bells, BoxFuture, Location, Options, Rung, Store, Verbs};
pub use tx::Tx;
pub use value::Value;
