//! Backups as a person takes them and uses them.

use std::path::{Path, PathBuf};

use stories::{Ended, HubPlan, Scene};

/// Where the story's backup is.
pub(crate) fn backup_file(scene: &Scene) -> PathBuf {
    scene.folder().join("hub.backup")
}

/// Takes a backup of a hub, whether it runs or not.
pub(crate) fn back_up(plan: &HubPlan<'_>, to: &Path) -> Ended {
    Ended::of(plan.tool(&["backup", "--json"]).arg("--to").arg(to))
}

/// Restores a backup.
pub(crate) fn restore(plan: &HubPlan<'_>, from: &Path) -> Ended {
    Ended::of(plan.tool(&["restore", "--json"]).arg("--from").arg(from))
}

/// A place of `store copy`: the database of this hub.
pub(crate) fn place(plan: &HubPlan<'_>) -> String {
    plan.setting_of("database_url").unwrap_or_else(|| plan.data().display().to_string())
}

/// The same hub on the embedded database.
pub(crate) fn embedded<'s>(plan: &HubPlan<'s>) -> HubPlan<'s> {
    plan.clone().setting("database_url", "")
}
