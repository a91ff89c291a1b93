//! What every engine must do alike: each public function of the store, called on SQLite and on
//! PostgreSQL with the same expectations.
//!
//! A story about tables is a function from a transaction; `stories!` lists those of a file and
//! runs each on both engines. `setup` makes databases and rows. `verbs` is about transactions
//! themselves, `schema` about states that no engine may store, `opening` about migrations,
//! `again`, `group_commit` and `numbering` about what one engine does in its own way, and `plans` about how
//! each statement finds its rows when there are many.

mod again;
mod group_commit;
mod numbering;
mod opening;
mod plans;
mod schema;
mod setup;
mod standings;
mod verbs;

mod alarms;
mod assertions;
mod audit;
mod backups;
mod blobs;
mod denied_tokens;
mod desired;
mod desired_schema;
mod dispatches;
mod enforcements;
mod events;
mod followers;
mod history;
mod hub_keys;
mod idempotency;
mod invites;
mod jobs;
mod leaders;
mod logs;
mod maintenance;
mod node_keys;
mod nodes;
mod notifications;
mod operations;
mod org_settings;
mod orgs_and_sites;
mod outbox;
mod people;
mod post_steps;
mod refusals;
mod reports;
mod secrets;
mod task_lists;
mod task_times;
mod tasks;
mod tokens;
mod trust_keys;
mod whole;
