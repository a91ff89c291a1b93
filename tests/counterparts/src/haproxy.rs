//! A balancer that passes TLS on as it is: HAProxy.

use crate::keeper::{Keeper, folder_for, write};

/// A balancer with a configuration of the test's. It is gone when this is dropped or the process ends in whatever way.
#[derive(Debug)]
pub struct Haproxy {
    _keeper: Keeper,
}

impl Haproxy {
    /// Starts one. It listens when this returns.
    ///
    /// # Panics
    /// If HAProxy is not installed or refuses the configuration.
    pub fn start(configuration: &str) -> Haproxy {
        let folder = folder_for("haproxy");
        write(&folder.join("haproxy.cfg"), configuration);
        let keeper = Keeper::start(include_str!("haproxy.sh"), "haproxy", &folder);
        Haproxy { _keeper: keeper.unwrap_or_else(|why| panic!("HAProxy does not start:\n{why}")) }
    }
}
