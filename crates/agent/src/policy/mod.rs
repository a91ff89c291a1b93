//! The site's last word on what its agent does: `policy.toml`, owned by the site.
//!
//! `file` reads it, `judge` says whether a type may run, `paths` and `addresses` whether a handler
//! may touch a path or connect to an address, `watch` reads the file again when it has changed.

mod addresses;
mod file;
mod judge;
mod paths;
mod watch;

pub use addresses::{Allowed, BadAddress};
pub use file::{DEFAULT_TOML, Policy, PolicyError};
pub use paths::{Forbidden, Root, Roots};
pub(crate) use watch::PolicyWatch;
