//! What crosses a process border: the messages of agents and of people, the signed envelope they
//! travel in, and the problems that answer what cannot be done.
//!
//! These shapes are the contract with programs that were built last year. They are converted to
//! the types of `rules` at the border, by exhaustive match, and hold no decisions of their own.

pub mod accounts;
pub mod alarms;
pub mod answers;
pub mod assertions;
pub mod audit;
pub mod backups;
pub mod cloud_events;
pub mod deliveries;
pub mod desired;
pub mod enrollment;
pub mod envelope;
pub mod events;
pub mod heartbeat;
pub mod history;
pub mod hub_keys;
pub mod invites;
pub mod jobs;
pub mod key_chain;
pub mod keys;
pub mod logs;
pub mod maintenance;
pub mod nodes;
pub mod notifications;
pub mod operations;
pub mod operators;
pub mod org_settings;
pub mod orgs;
pub mod pages;
pub mod problem;
pub mod readable;
pub mod refusals;
pub mod reports;
pub mod resources;
pub mod results;
pub mod sealing;
pub mod secrets;
pub mod sessions;
pub mod sign_in;
pub mod ssh;
pub mod summary;
pub mod task_types;
pub mod tasks;
pub mod tokens;
pub mod trusts;
