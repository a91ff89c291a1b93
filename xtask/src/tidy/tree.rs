//! The files of the repository, read once. Rules see this and never the disk, so a test can make
//! up a tree in three lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::source::Source;

/// Folders that hold nothing of ours: built, fetched or git's own.
const SKIPPED: [&str; 5] = [".git", "target", "node_modules", "web/dist", ".venv"];

/// One file, by its path from the top folder with `/` between the parts.
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
    /// For Rust files: the same text, told apart into code and the rest.
    pub(super) source: Option<Source>,
}

impl File {
    fn new(path: &str, text: String) -> File {
        let source = path.ends_with(".rs").then(|| Source::read(&text));
        File { path: path.to_owned(), text, source }
    }

    /// The folder that the file is in; empty for the top folder.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// All files, in the order of their paths.
pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

impl Tree {
    /// Reads the repository at `root`. Files that are not text are there with an empty text.
    pub(super) fn read(root: &Path) -> Result<Tree, String> {
        let mut files = Vec::new();
        read_folder(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Tree { files })
    }

    /// A made-up tree.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Tree {
        Tree { files: files.iter().map(|(path, text)| File::new(path, (*text).to_owned())).collect() }
    }

    /// The file at this path.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Every Rust file with its source.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &Source)> {
        self.files.iter().filter_map(|file| Some((file, file.source.as_ref()?)))
    }

    /// Every folder that has a file in it or below it, but for the top one.
    pub(super) fn folders(&self) -> BTreeSet<&str> {
        let ends = |path: &str| path.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
        self.files.iter().flat_map(|file| ends(&file.path).into_iter().map(|at| &file.path[..at])).collect()
    }
}

fn read_folder(root: &Path, folder: &str, files: &mut Vec<File>) -> Result<(), String> {
    let here = root.join(folder);
    let say = |error: std::io::Error| format!("{}: {error}", here.display());
    for entry in fs::read_dir(&here).map_err(say)? {
        let entry = entry.map_err(say)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().map_err(say)?;
        if SKIPPED.contains(&name.as_str()) || SKIPPED.contains(&path.as_str()) {
            continue;
        }
        if kind.is_dir() {
            read_folder(root, &path, files)?;
        } else if kind.is_file() {
            // A file that a colleague's editor removed in this very moment is no reason to stop.
            let text = fs::read(entry.path()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
            files.push(File::new(&path, text));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_on_disk_is_read_without_what_was_built() {
        let root = std::env::temp_dir().join(format!("sortie-tidy-{}", std::process::id()));
        for (path, text) in [("crates/a/src/lib.rs", "//! A."), ("target/debug/x.rs", "no"), (".git/config", "no")] {
            let file = root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let tree = Tree::read(&root);
        fs::remove_dir_all(&root).unwrap();
        let tree = tree.unwrap();
        assert_eq!(tree.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["crates/a/src/lib.rs"]);
        assert_eq!(tree.folders().into_iter().collect::<Vec<_>>(), ["crates", "crates/a", "crates/a/src"]);
    }
}
