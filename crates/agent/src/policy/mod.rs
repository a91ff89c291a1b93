//! The site's last word on what its agent does: `policy.toml`, owned by the site.
//!
//! `file` reads it, `handlers` its tables of handlers, `privileged` those of the builtins that change a
//! machine as a whole, `desired` those of desired state, `reports` what the site tells of itself; `judge` says whether
//! a type may run, `paths` whether a handler may touch a path (`sortie_rules::addresses`: connect to an address),
//! `watch` reads the file again when it has changed, and `outward` is what the hub is told of one that cannot be used.

mod desired;
mod file;
mod handlers;
mod judge;
mod outward;
mod paths;
mod privileged;
mod reports;
mod watch;

pub use desired::{Applier, Desired};
pub use file::{DEFAULT_TOML, Policy, PolicyError};
pub use handlers::{Command, Handling, Kind, Service};
pub use paths::{Forbidden, Root, Roots};
pub(crate) use privileged::{HOST_REBOOT, NotDone, RestartPayload, SERVICE_RESTART, reboot_payload};
pub use privileged::{HostReboot, ServiceRestart};
pub use reports::{ReportProgram, Reports};
pub use sortie_rules::addresses::{Allowed, BadAddress};
pub(crate) use watch::PolicyWatch;
