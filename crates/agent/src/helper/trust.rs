//! Which files the helper may believe: those that nobody but its own user can change.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Refuses a file that somebody else could change, or whose folder somebody else could.
pub(super) fn only_ours(file: &Path) -> Result<(), String> {
    let file = file.canonicalize().map_err(|error| format!("{}: {error}", file.display()))?;
    let own = rustix::process::geteuid().as_raw();
    for place in file.ancestors() {
        let meta = std::fs::metadata(place).map_err(|error| format!("{}: {error}", place.display()))?;
        let shown = place.display();
        if meta.uid() != 0 && meta.uid() != own {
            return Err(format!("{shown} belongs to another user than root, who could change {}", file.display()));
        }
        // In a folder with the sticky bit nobody removes what is another's.
        let is_sticky = meta.is_dir() && meta.mode() & 0o1000 != 0;
        if meta.mode() & 0o022 != 0 && !is_sticky {
            return Err(format!("{shown} can be changed by others; chmod go-w mends it"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_others_can_change_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        assert!(only_ours(&file).is_err(), "it is not there");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(only_ours(&file), Ok(()));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o664)).unwrap();
        assert!(only_ours(&file).unwrap_err().contains("chmod go-w"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(only_ours(&file).is_err(), "the folder is open to all");
    }
}
