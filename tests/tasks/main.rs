//! What becomes of tasks: submitted, refused, ordered, leased, retried, cancelled, finished.

mod bad_batches;
mod bad_requests;
mod bad_results;
mod bad_tasks;
mod builtins;
mod cancelling;
mod commands;
mod correlation;
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
mod submitting;
mod times;
