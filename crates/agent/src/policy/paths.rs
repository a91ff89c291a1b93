//! The folders in which a handler may work. A path is judged after every symbolic link in it has
//! been followed, and is then opened from the root downwards without following any, so that no link
//! that is put there in between leads out.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};

/// Folders in which a handler may work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    roots: Vec<PathBuf>,
}

/// A path below a root: the open root, and the way from it, without links.
#[derive(Debug)]
pub struct Root {
    folder: OwnedFd,
    way: PathBuf,
    whole: PathBuf,
}

/// Why a path may not be touched.
#[derive(Debug, thiserror::Error)]
pub enum Forbidden {
    /// It is under none of the roots.
    #[error("the policy of this site lists no folder that {} is in", .0.display())]
    Outside(PathBuf),
    /// It is below a root that is not there.
    #[error(
        "{} is below {}, which the policy of this site lists as a root and which is not there: make that folder, or \
         take it out of the policy", .path.display(), .root.display()
    )]
    NoRoot {
        /// The path.
        path: PathBuf,
        /// The root, as the policy writes it.
        root: PathBuf,
    },
    /// It is not there, or not to be had.
    #[error("{} cannot be opened: {source}", .path.display())]
    Unreachable {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Roots {
    /// These folders.
    pub fn new(roots: Vec<PathBuf>) -> Roots {
        Roots { roots }
    }

    /// The path below the root that it is in.
    pub fn find(&self, path: &Path) -> Result<Root, Forbidden> {
        let unreachable = |source| Forbidden::Unreachable { path: path.to_owned(), source };
        if !path.is_absolute() {
            return Err(Forbidden::Outside(path.to_owned()));
        }
        if self.roots.is_empty() {
            return Err(Forbidden::Outside(path.to_owned()));
        }
        let whole =
            path.canonicalize().map_err(|error| self.missing_root(path).unwrap_or_else(|| unreachable(error)))?;
        for root in &self.roots {
            let Ok(root) = root.canonicalize() else { continue };
            if let Ok(way) = whole.strip_prefix(&root) {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let folder = openat(CWD, &root, flags, Mode::empty()).map_err(|error| unreachable(error.into()))?;
                return Ok(Root { folder, way: way.to_owned(), whole });
            }
        }
        Err(self.missing_root(path).unwrap_or_else(|| Forbidden::Outside(path.to_owned())))
    }

    /// The path, if by its letters it is below a root that is not there. That lets nobody in, and only says what is
    /// wrong.
    fn missing_root(&self, path: &Path) -> Option<Forbidden> {
        let is_missing = |root: &&PathBuf| {
            let found = root.symlink_metadata();
            path.starts_with(root) && found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
        };
        let root = self.roots.iter().find(is_missing)?;
        Some(Forbidden::NoRoot { path: path.to_owned(), root: root.clone() })
    }
}

impl Root {
    /// The whole path, without links.
    pub fn whole(&self) -> &Path {
        &self.whole
    }

    /// Opens what the path names, without following links on the way.
    pub fn open(&self) -> Result<OwnedFd, Forbidden> {
        let unreachable =
            |error: rustix::io::Errno| Forbidden::Unreachable { path: self.whole.clone(), source: error.into() };
        let steps: Vec<&OsStr> = self
            .way
            .components()
            .filter_map(|step| match step {
                Component::Normal(name) => Some(name),
                _ => None,
            })
            .collect();
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let mut at = openat(&self.folder, ".", flags | OFlags::DIRECTORY, Mode::empty()).map_err(unreachable)?;
        for (index, step) in steps.iter().enumerate() {
            let flags = if index + 1 < steps.len() { flags | OFlags::DIRECTORY } else { flags };
            at = openat(&at, *step, flags, Mode::empty()).map_err(unreachable)?;
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_what_is_really_below_a_root_is_found() {
        let scratch = tempfile::tempdir().unwrap();
        let (inside, outside) = (scratch.path().join("in"), scratch.path().join("in-between"));
        std::fs::create_dir_all(inside.join("a")).unwrap();
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::write(inside.join("a/file"), "x").unwrap();
        std::fs::write(outside.join("secret"), "s").unwrap();
        symlink(outside.join("secret"), inside.join("a/link")).unwrap();
        let roots = Roots::new(vec![inside.clone()]);
        let mut text = String::new();
        std::fs::File::from(roots.find(&inside.join("a/../a/file")).unwrap().open().unwrap())
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "x");
        for path in ["a/link", "../in-between/secret", "../in-between"] {
            assert!(matches!(roots.find(&inside.join(path)), Err(Forbidden::Outside(_))), "{path}");
        }
        assert!(matches!(roots.find(&inside.join("none")), Err(Forbidden::Unreachable { .. })));
        assert!(matches!(roots.find(Path::new("in/a")), Err(Forbidden::Outside(_))));
        assert!(matches!(Roots::new(vec![]).find(&inside), Err(Forbidden::Outside(_))));
    }

    #[test]
    fn a_root_that_is_not_there_is_named_with_what_to_do() {
        let scratch = tempfile::tempdir().unwrap();
        let (there, gone) = (scratch.path().join("there"), scratch.path().join("gone"));
        std::fs::create_dir_all(&there).unwrap();
        let roots = Roots::new(vec![there.clone(), gone.clone()]);
        for path in ["", "conf.d", "conf.d/app/more"] {
            let refusal = roots.find(&gone.join(path)).unwrap_err();
            assert!(matches!(&refusal, Forbidden::NoRoot { root, .. } if *root == gone), "{refusal}");
            let said = refusal.to_string();
            assert!(said.contains("make that folder, or take it out of the policy"), "{said}");
        }
        assert!(matches!(roots.find(&there.join("none")), Err(Forbidden::Unreachable { .. })));
        assert!(matches!(roots.find(scratch.path()), Err(Forbidden::Outside(_))));
        // Only by its letters: a way back out of it is not below it.
        std::fs::create_dir_all(&gone).unwrap();
        assert!(matches!(roots.find(&gone.join("..")), Err(Forbidden::Outside(_))));
    }

    #[test]
    fn a_link_put_on_the_way_after_the_judgement_leads_nowhere() {
        let scratch = tempfile::tempdir().unwrap();
        let (root, outside) = (scratch.path().join("root"), scratch.path().join("outside"));
        std::fs::create_dir_all(root.join("a")).unwrap();
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::write(root.join("a/file"), "x").unwrap();
        std::fs::write(outside.join("file"), "secret").unwrap();
        let found = Roots::new(vec![root.clone()]).find(&root.join("a/file")).unwrap();
        std::fs::remove_dir_all(root.join("a")).unwrap();
        symlink(&outside, root.join("a")).unwrap();
        assert!(matches!(found.open(), Err(Forbidden::Unreachable { .. })));
    }
}
