//! Orgs: the tenants of a hub. Only the hub's own org makes others.

mod admin;
mod create;
mod list;
pub(crate) mod routes;
