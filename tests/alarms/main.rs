//! Alarms: what is wrong is told once, from its beginning to its end, whoever dies in between, and by the rules of the
//! org that it is wrong in.

mod backups;
mod by_command;
mod facts;
mod help;
mod history;
mod jumps;
mod killed;
mod maintenance;
mod presence;
mod replicas;
mod rules;
mod tasks;
mod thresholds;
mod told_once;
