//! The site's last word on what its agent does: `policy.toml`, owned by the site.
//!
//! `file` reads it, `handlers` its tables of handlers, `judge` says whether a type may run, `paths`
//! whether a handler may touch a path (`sortie_rules::addresses`: connect to an address), `watch` reads
//! the file again when it has changed.

mod file;
mod handlers;
mod judge;
mod paths;
mod privileged;
mod watch;

pub use file::{DEFAULT_TOML, Policy, PolicyError};
pub use handlers::{Command, Handling, Kind, Service};
pub use paths::{Forbidden, Root, Roots};
pub use sortie_rules::addresses::{Allowed, BadAddress};
pub(crate) use watch::PolicyWatch;
