//! A pack's files: in its folder, or in the program. What lies outside of the folder is not read,
//! whether it is named by `..`, by a whole path, or reached over a symbolic link.

use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use sortie_rules::limits::PACK_FILE_BYTES_MAX;

use super::mistake::Mistake;

/// Where a pack's files are.
#[derive(Debug, Clone)]
pub(super) enum PackFiles {
    /// In the program, by their names.
    Embedded(&'static [(&'static str, &'static str)]),
    /// In a folder.
    Folder(PathBuf),
}

impl PackFiles {
    /// How mistakes name a file of the pack.
    pub(super) fn shown(&self, name: &str) -> PathBuf {
        match self {
            PackFiles::Embedded(_) => Path::new("base").join(name),
            PackFiles::Folder(folder) => folder.join(name),
        }
    }

    /// The text of a file of the pack.
    pub(super) fn read(&self, name: &str) -> Result<String, Mistake> {
        let refuse = |why: String| Mistake::of_file(self.shown(name), why);
        match self {
            PackFiles::Embedded(files) => files
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, text)| (*text).to_owned())
                .ok_or_else(|| refuse("there is no such file in the pack".to_owned())),
            PackFiles::Folder(folder) => read_within(folder, name).map_err(refuse),
        }
    }
}

fn read_within(folder: &Path, name: &str) -> Result<String, String> {
    let is_plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !is_plain {
        return Err("a pack names files within its own folder, such as `schemas/check.payload.json`".to_owned());
    }
    let missing = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("it cannot be read: {error}"),
    };
    let home = folder.canonicalize().map_err(missing)?;
    let path = folder.join(name).canonicalize().map_err(missing)?;
    if !path.starts_with(&home) {
        return Err(format!("a link leads out of the pack, to {}", path.display()));
    }
    let file = fs::File::open(&path).map_err(missing)?;
    if !file.metadata().map_err(missing)?.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(PACK_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(missing)?;
    if bytes.len() as u64 > PACK_FILE_BYTES_MAX {
        return Err(format!("it is larger than {PACK_FILE_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_of_the_folder_is_not_read() {
        let parent = tempfile::tempdir().unwrap();
        let pack = parent.path().join("pack");
        fs::create_dir(&pack).unwrap();
        fs::write(parent.path().join("secret"), "s").unwrap();
        fs::write(pack.join("inside"), "i").unwrap();
        std::os::unix::fs::symlink("../secret", pack.join("leads-out")).unwrap();
        std::os::unix::fs::symlink("inside", pack.join("stays-in")).unwrap();
        let files = PackFiles::Folder(pack);
        assert_eq!(files.read("inside").unwrap(), "i");
        assert_eq!(files.read("stays-in").unwrap(), "i");
        for name in ["../secret", "/etc/hostname", "leads-out", "", ".", "missing"] {
            assert!(files.read(name).is_err(), "{name}");
        }
        assert!(files.read("leads-out").unwrap_err().what.contains("leads out"));
    }
}
