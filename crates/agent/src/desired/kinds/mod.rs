//! What the agent does with a resource of each kind: look, and make it so.
//!
//! `look` is what a look shows; `file` and `directory` touch paths below the policy's roots; `systemd` asks the
//! machine's service manager, `supervised` runs a service as a child of the agent; `applier` asks the site's own
//! programs. `kind` chooses among them.

mod applier;
mod directory;
mod file;
mod kind;
mod look;
mod supervised;
mod systemd;

pub(super) use kind::{Ground, Kind};
pub(super) use look::Look;
use look::no_folder;
pub(crate) use supervised::Supervisor;
