//! The handlers that every agent has.

use std::path::PathBuf;
use std::sync::Arc;

use super::handler::{Closure, Handler, Handlers};
use super::outgoing::Outgoing;
use super::{file_append, file_checksum, http_check, sleep, sys_info};
use crate::clock::Clock;

/// The task types that every agent can do.
pub const BUILTIN_TYPES: [&str; 7] =
    ["file.append", "file.checksum", "host.reboot", "http.check", "service.restart", "sleep", "sys.info"];
/// Those of them that need no more than their surroundings.
const SIMPLE_TYPES: [&str; 5] = ["file.append", "file.checksum", "http.check", "sleep", "sys.info"];

/// What the builtin handlers need to know of their agent.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// The data folder, which no handler may write to.
    pub(crate) data: PathBuf,
    /// The policy file, which no handler may write to.
    pub(crate) policy: PathBuf,
    /// Certificates (PEM) to believe beside the operating system's.
    pub(crate) ca_pem: Option<String>,
    /// By which time certificates are judged.
    pub(crate) clock: Clock,
}

impl Surroundings {
    /// What calls to local services go over.
    pub(crate) fn outgoing(&self) -> Outgoing {
        Outgoing::new(self.ca_pem.clone(), self.clock.clone())
    }
}

/// The builtin handlers of simple types.
pub(crate) fn builtin(surroundings: &Surroundings) -> Handlers {
    let (append, info) = (surroundings.clone(), surroundings.data.clone());
    let checker = surroundings.outgoing();
    let handlers: [Arc<dyn Handler>; 5] = [
        Arc::new(Closure(move |work| file_append::run(work, append.clone()))),
        Arc::new(Closure(file_checksum::run)),
        Arc::new(Closure(move |work| http_check::run(work, checker.clone()))),
        Arc::new(Closure(sleep::run)),
        Arc::new(Closure(move |work| sys_info::run(work, info.clone()))),
    ];
    SIMPLE_TYPES.iter().map(|name| (*name).to_owned()).zip(handlers).collect()
}
