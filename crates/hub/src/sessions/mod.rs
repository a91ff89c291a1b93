//! Sessions: who is signed in to the console, or with `sortie login` and a password.
//!
//! A browser shows its session in a cookie that no script can read and no other site can send; its secret
//! is replaced now and then (`sortie_rules::sessions` decides). Programs show it as a bearer token. `known`
//! keeps sessions in memory, `authenticate` judges what a request shows, `origin` tells requests of other
//! sites.

mod authenticate;
mod begin;
mod cookie;
mod end;
mod known;
mod list;
mod origin;
pub(crate) mod routes;

pub(crate) use authenticate::{Renewed, authenticate, ends_at};
pub(crate) use begin::{Begun, NewSession, begin, subject_of};
pub(crate) use cookie::unset as unset_cookie;
pub(crate) use end::{end, end_in, forget};
pub(crate) use known::Sessions;
