//! Who is told of alarms: once, in their own words, by the ways that they have, and never lost; and what is held back,
//! and why.

mod by_command;
mod changes;
mod console;
mod cool_down;
mod customers;
mod help;
mod mails;
mod maintenance;
mod outages;
mod replicas;
mod storm;
mod templates;
mod webhooks;
