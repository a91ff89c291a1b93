//! What is true whatever the disk, the network or the hour.
//!
//! Ids, limits, states and their transitions. Nothing here reads a clock, draws a random
//! number, touches a file or awaits: time, randomness and ids come in as arguments, so every
//! decision can be tested without a fleet. Both the hub and the agent decide with this crate.

pub mod access;
pub mod addresses;
pub mod alarms;
pub mod arrivals;
pub mod audit;
pub mod backoff;
pub mod backups;
pub mod blobs;
pub mod clocks;
pub mod config;
pub mod deliveries;
pub mod desired;
pub mod disks;
pub mod durations;
pub mod enforcement;
pub mod enrollment;
pub mod exits;
pub mod hearing;
pub mod history;
pub mod hosts;
pub mod ids;
pub mod jobs;
pub mod leaders;
pub mod ledger;
pub mod limits;
pub mod liveness;
pub mod masking;
pub mod names;
pub mod notifications;
pub mod operations;
pub mod operators;
pub mod org_settings;
pub mod outbox;
pub mod passwords;
pub mod plain;
pub mod post_steps;
pub mod progress;
pub mod proofs;
pub mod protocols;
pub mod rates;
pub mod read_models;
pub mod reboots;
pub mod redaction;
pub mod renewals;
pub mod reports;
pub mod rotation;
#[cfg(feature = "openapi")]
mod schemas;
pub mod selectors;
pub mod sessions;
pub mod sign_in;
pub mod sites;
pub mod summaries;
pub mod tasks;
pub mod time;
pub mod traces;
pub mod verification;
