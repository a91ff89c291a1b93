//! Configuration: one TOML file per role, every key also as a variable, unknown keys refused by name.
//!
//! Each role ships a commented default file that is documentation and default in one; the keys that
//! stand in it, commented out or not, are the keys there are ([`known_keys`]). [`load`] reads a file
//! of the site's, lays the variables over it (`SORTIE_HUB_LISTEN` is `listen`, and tables are set off
//! by two underscores: `SORTIE_HUB_LIMITS__REQUESTS_PER_SECOND` is `limits.requests_per_second`) and
//! names what it cannot use: the file, the line, the key, and the nearest key that exists.

mod error;
mod keys;
mod load;
mod nearest;
mod tree;
mod twice;

pub use error::{ConfigError, Place};
pub use keys::known_keys;
pub use load::load;
pub use nearest::{nearest, nearest_few};
