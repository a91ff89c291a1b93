//! What the hub does after a task has ended: mails to a real mail server, webhooks judged by the
//! reference library of Standard Webhooks, and fields taken from results.

mod fields;
mod help;
mod mails;
mod mistakes;
mod webhooks;
