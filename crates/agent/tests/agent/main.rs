//! Stories of one agent and a hub that does as the test says, over real TLS, with real files.

mod agents;
mod appliers;
mod bad_input;
mod bad_operations;
mod cancelling;
mod crashes;
mod deliveries;
mod desired;
mod enrollment;
mod http_checks;
mod hub;
mod many_tasks;
mod operations;
mod operators;
mod outages;
mod policies;
mod program;
mod refusals;
mod reports;
mod resources;
mod time_and_keys;
