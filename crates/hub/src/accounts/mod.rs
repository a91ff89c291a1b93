//! Accounts: people who sign in with a password of this hub's, where there is no provider.
//!
//! `hashing` turns passwords into hashes, few at once; `slowing` remembers who failed; `sign_in` is the verb
//! that needs both. `create`, `change` and `list` are for administrators.

mod change;
mod create;
mod hashing;
mod list;
pub(crate) mod routes;
mod sign_in;
mod slowing;

pub(crate) use hashing::Hashing;
pub(crate) use slowing::Slowing;
