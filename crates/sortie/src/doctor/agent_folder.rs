//! Looks at an agent's data folder.

use std::path::Path;

use super::check::Check;
use crate::context::Context;

/// Every check of this folder, and of the way from here to its hub.
pub(super) async fn checks(folder: &Path, _context: &Context) -> Vec<Check> {
    vec![Check::bad("folder", format!("{}", folder.display()), "x")]
}
