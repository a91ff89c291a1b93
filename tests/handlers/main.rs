//! Handlers at the site: programs and local services that its policy names, and everything that they
//! can do wrong.

mod commands;
mod help;
mod large_results;
mod misbehaviour;
mod other_users;
mod own_program;
mod refused;
mod services;
