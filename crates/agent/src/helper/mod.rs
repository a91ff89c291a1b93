//! The helper: a small local program that runs what the policy gives to another user, so that the process
//! with the network needs no privileges.
//!
//! It opens no connection and listens on a socket file alone, for one user. It believes nobody but the
//! hub's signature and the site's policy, both of which it reads for itself (and follows the hub's keys for
//! itself, `keys`): the agent hands it each
//! delivery while that is valid (`spool` keeps what came), and later says which run to begin. `protocol` is
//! what crosses the socket, `serve` answers, `take` looks at a delivery, `perform` runs, `operations` verifies
//! what operators signed, `time` is the hub's clock as the agent brings it, `users` and `trust` look up what the
//! machine says; `ask` and `bring` are the agent's side.

mod ask;
mod bring;
mod keys;
mod operations;
mod perform;
mod protocol;
mod serve;
mod spool;
mod take;
mod time;
mod trust;
mod users;

pub(crate) use ask::{Helped, Helper};
pub(crate) use bring::bring_keys;
pub(crate) use protocol::read_lines;
pub use serve::{HelperError, HelperOptions, serve};
pub(crate) use users::uid_of;
