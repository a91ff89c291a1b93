//! The audit log: every act of people stands in it once, in a chain that nobody changes unnoticed.

mod exports;
mod help;
mod operations;
mod refused;
mod two_hubs;
mod walk;
