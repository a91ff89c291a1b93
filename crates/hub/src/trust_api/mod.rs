//! The trust API: an earlier system's three calls, for sites whose client knows nothing else. Behind the
//! setting `trust_api`. It translates; ownership, leases, retries and results are those of any task.
//!
//! `add` makes nodes for such clients and gives them keys, `authenticate` knows them by it; `pending`,
//! `result` and the heartbeat in `routes` are the calls.

mod add;
mod authenticate;
mod pending;
mod result;
pub(crate) mod routes;

pub(crate) use authenticate::authenticate;
