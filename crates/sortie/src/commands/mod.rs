//! What the command can do: one file per noun, with what it takes and what it does together.
//!
//! Every noun has `run`, which matches its verbs; a verb makes one call of the hub and prints the
//! answer. Nothing here thinks about tasks or nodes: that is the hub's.

pub(crate) mod account;
pub(crate) mod agent;
pub(crate) mod agree;
pub(crate) mod alarm;
pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod deadline;
pub(crate) mod event;
pub(crate) mod events;
mod history;
pub(crate) mod hub;
pub(crate) mod invite;
pub(crate) mod job;
pub(crate) mod keys;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod maintenance;
pub(crate) mod named;
pub(crate) mod node;
pub(crate) mod notification;
pub(crate) mod op;
pub(crate) mod operators;
pub(crate) mod org;
pub(crate) mod pack;
pub(crate) mod pages;
pub(crate) mod profile;
pub(crate) mod recipient;
pub(crate) mod report;
pub(crate) mod secret;
pub(crate) mod selection;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod sign;
pub(crate) mod site;
pub(crate) mod state;
pub(crate) mod summary;
pub(crate) mod task;
pub(crate) mod token;
pub(crate) mod upkeep;
pub(crate) mod whoami;
pub(crate) mod within;
pub(crate) mod written;
