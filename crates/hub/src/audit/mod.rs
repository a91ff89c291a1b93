//! The audit log: who did what, in a chain for each org.
//!
//! A route that changes something declares its action (`Routes::does`). The guard notes with which request it
//! was asked (`asking`), and the verb writes an [`Act`] in the transaction of what it did (`act`). What was
//! refused is written by the guard itself (`refused`). `seal` gives entries their links where the store does
//! not do so by itself, and `list` and `export` read them.

mod act;
mod asking;
mod export;
mod list;
mod refused;
pub(crate) mod routes;
mod seal;

pub(crate) use act::{Act, record, sha256_of};
pub(crate) use asking::{Asked, Asking};
pub(crate) use refused::{Refused, forbidden, refuse};
pub(crate) use seal::seal;
