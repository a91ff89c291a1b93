//! Secrets of an org: values that desired states refer to. They are kept sealed with what follows from the hub's own
//! secret, which lies in its safe; what is shown of one is never its value. `users` says which layers use one.

mod change;
mod list;
pub(crate) mod routes;
mod seal;
mod users;

pub(crate) use seal::open;
