//! What the agent says of its machine. Facts, never intent.

use sortie_wire::enrollment::Facts;

/// The agent's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The facts of this machine; `types` are those that the policy lets run.
pub(crate) fn facts(types: Vec<String>) -> Facts {
    Facts {
        version: VERSION.to_owned(),
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        hostname: hostname(),
        types,
    }
}

/// The machine's own name.
pub(crate) fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
