//! Where what comes from package registries is kept.

use std::path::PathBuf;

/// The project's folder below the user's cache.
///
/// # Panics
/// If there is neither `XDG_CACHE_HOME` nor `HOME`.
pub(crate) fn cache() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    cache.or_else(home).expect("HOME says where the cache is").join("sortie")
}
