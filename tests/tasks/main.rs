//! What becomes of tasks: submitted, refused, ordered, leased, retried, cancelled, finished.

mod bad_batches;
mod bad_requests;
mod bad_results;
mod bad_tasks;
mod builtins;
mod cancelling;
mod correlation;
mod full_queue;
mod handing_over;
mod help;
mod http_check;
mod leases;
mod local_service;
mod odd_text;
mod order;
mod pages;
mod policy;
mod repeating;
mod results;
mod submit_command;
mod submitting;
mod task_commands;
mod times;
