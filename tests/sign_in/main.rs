//! Stories of people who sign in with an identity provider: a real one, whose tokens the hub checks by
//! itself. What is wrong with a token, keys that change, providers that are away, tokens that are denied
//! before their time, and signing out.

mod code_flow;
mod denied;
mod help;
mod keys;
mod log_out;
mod login;
mod settings;
mod signed_out;
mod streams;
mod tokens;
