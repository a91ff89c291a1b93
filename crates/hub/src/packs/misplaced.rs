//! Packs that lie where a hub does not look for them: in the packs' folder itself, or one folder too deep, as a copy of
//! a folder into one of the same name leaves them. A hub goes on without them, so it says so.

use std::path::{Path, PathBuf};

use super::manifest::MANIFEST;

/// A pack that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misplaced {
    /// The folder in which its `pack.toml` is.
    pub(super) pack: PathBuf,
    /// What to do.
    pub(super) remedy: String,
}

/// The packs in and below a packs' folder that are not where they are looked for, by name.
pub(super) fn misplaced(packs_folder: &Path) -> Vec<Misplaced> {
    let own_folder = format!("give it a folder of its own: {}", packs_folder.join("NAME").join(MANIFEST).display());
    let itself = packs_folder.join(MANIFEST).is_file();
    let itself = itself.then(|| Misplaced { pack: packs_folder.to_owned(), remedy: own_folder });
    let folders = folders_in(packs_folder).into_iter().filter(|folder| !folder.join(MANIFEST).exists());
    let too_deep = folders.flat_map(|folder| packs_in(&folder)).map(|pack| {
        let name = pack.file_name().unwrap_or_default();
        let remedy = format!("move it up, so that it is {}", packs_folder.join(name).join(MANIFEST).display());
        Misplaced { pack, remedy }
    });
    itself.into_iter().chain(too_deep).collect()
}

/// The packs that lie directly in a folder, by name.
pub(super) fn packs_in(folder: &Path) -> Vec<PathBuf> {
    folders_in(folder).into_iter().filter(|inner| inner.join(MANIFEST).is_file()).collect()
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_at_the_wrong_depth_is_found_with_what_to_do() {
        let scratch = tempfile::tempdir().unwrap();
        let packs = scratch.path().join("packs");
        let put = |folder: &Path| {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(MANIFEST), "name = \"x\"").unwrap();
        };
        assert_eq!(misplaced(&packs), [], "no folder, no packs");
        put(&packs.join("right"));
        put(&packs.join("right/examples"));
        std::fs::create_dir_all(packs.join("empty")).unwrap();
        assert_eq!(misplaced(&packs), []);
        put(&packs.join("box/managed-box"));
        put(&packs);
        let found = misplaced(&packs);
        let places: Vec<&Path> = found.iter().map(|one| one.pack.as_path()).collect();
        assert_eq!(places, [packs.clone(), packs.join("box/managed-box")]);
        assert!(found[0].remedy.ends_with("packs/NAME/pack.toml"), "{}", found[0].remedy);
        assert!(found[1].remedy.ends_with("packs/managed-box/pack.toml"), "{}", found[1].remedy);
    }
}
