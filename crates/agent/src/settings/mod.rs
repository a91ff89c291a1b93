//! What the agent can be told: `agent.default.toml` is documentation and default in one, `values`
//! holds what was read.

mod values;

pub use values::{DEFAULT_TOML, LogFormat, LogLevel, ProxySettings, Settings, UnreadableFile};
