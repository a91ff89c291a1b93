//! The trust API: a client that knows three calls and a key, and was written without any code of ours,
//! does tasks like any agent.

mod client;
mod keys;
mod ownership;
mod retries;
