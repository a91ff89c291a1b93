//! The client against real TLS servers: whom it believes, what it makes of their answers, how often
//! it asks again.

mod answers;
mod certificates;
mod requests;
mod retries;
mod server;
mod through_a_proxy;
mod trust;
